"""What `slimline predict` prints and writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from pipeline.cli.entry import commands
from pipeline.cli.predict_page import run_and_show, tab_line, table
from pipeline.errors import ArtifactError
from pipeline.prediction.predict import Prediction
from pipeline.tasks.task import classification
from tests.prediction.tiny_files import ship


@pytest.fixture
def model(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", np.array([[2.0, 1.0], [0.0, 9.0]]))
    return ship(tmp_path, classification(("ant", "bee\tfly", "cat")))


def prediction(*answers: dict[str, Any]) -> Prediction:
    numbered = [{"sample": n, "input": "x", **answer} for n, answer in enumerate(answers)]
    return Prediction(Path("m.tflite"), {}, np.zeros(1), numbered, ())


def test_in_a_pipe_fields_stand_between_tabs(model: Path) -> None:
    words = ["predict", str(model), "--input", str(model.parent / "x.npy"), "--top", "2"]
    result = CliRunner().invoke(commands, words, catch_exceptions=False)
    first, second = (line.split("\t") for line in result.stdout.splitlines())
    assert first[:2] == ["0", "cat"]
    assert len(first) == 5
    assert second[1] == "bee fly", "a tab in a label makes no further field"


def test_json_is_one_object_and_outputs_are_written(model: Path, tmp_path: Path) -> None:
    words = ["predict", str(model), "--input", str(tmp_path / "x.npy"), "--json"]
    result = CliRunner().invoke(commands, [*words, "--output", str(tmp_path / "out.npy")])
    told = json.loads(result.stdout)
    assert told["task"] == "classification"
    assert told["answers"][0]["top"][0]["label"] == "cat"
    assert told["output"] == str(tmp_path / "out.npy")
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), [[2, 1, 3], [0, 9, 9]])


def test_a_terminal_gets_a_table(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True, raising=False)
    run_and_show(model, (str(model.parent / "x.npy"),), 2, None, False)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].split() == ["sample", "label", "probability", "next"]
    assert shown[2].split()[:2] == ["0", "cat"]


def test_tables_of_the_other_tasks() -> None:
    several = {"labels": {"red": 0.9}, "top": [{"label": "red", "score": 0.9}]}
    text = table(prediction(several, {"labels": {}, "top": [{"label": "red", "score": 0.1}]}))
    assert "labels above 50 %" in text
    assert "(none)" in text
    values = table(prediction({"values": {"price": 1234.5678, "age": -2.0}}))
    assert values.splitlines()[0].split() == ["sample", "price", "age"]
    assert "1234.57" in values
    assert "0.5" in table(prediction({"error": 0.5}))
    alone = {"label": "a", "score": 0.9, "top": [{"label": "a", "score": 0.9}]}
    assert table(prediction(alone)).splitlines()[0].split() == ["sample", "label", "probability"]


def test_lines_of_the_other_tasks() -> None:
    assert tab_line({"sample": 3, "values": {"price": 1.5}}) == "3\tprice\t1.5"
    assert tab_line({"sample": 0, "error": 0.25}) == "0\t0.25"


def test_failures_are_those_of_the_table_of_exit_codes(model: Path) -> None:
    result = CliRunner().invoke(commands, ["predict", str(model)])
    assert result.exit_code == 2
    model.with_suffix(".json").unlink()
    words = ["predict", str(model), "--input", str(model.parent / "x.npy")]
    assert isinstance(CliRunner().invoke(commands, words).exception, ArtifactError)
