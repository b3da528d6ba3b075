"""The ladder on a real chain: up to the last rung, exit 9, and a promise that is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pipeline
from pipeline.errors import PromiseError
from pipeline.quantization import attempt, ladder
from pipeline.tflite.interpreter import load

VALUES: dict[str, Any] = {
    "run": {"name": "ladder", "seed": 0},
    "data": {"source": "digits", "task": "reconstruction", "max_train_samples": 300},
    "model": {"architecture": "autoencoder", "units": [24], "bottleneck": 8},
    "train": {"epochs": 3, "optimizer": {"name": "adam", "learning_rate": 0.003}},
    "quantize": {
        "method": "auto",
        "max_error_increase": 1.0,
        "qat": {"epochs": 1, "distillation": {}},
    },
    "stages": ["train", "quantize"],
}


def test_every_rung_is_tried_and_the_best_file_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some files have a little less error than the float model: no bound is out of reach.
    for module in (attempt, ladder):
        monkeypatch.setattr(module, "is_kept", lambda file, settings: False)
    with pytest.raises(PromiseError, match=r"no rung of the ladder keeps max_error_increase 1\.0"):
        pipeline.run(VALUES, artifacts=tmp_path)
    folder = tmp_path / "ladder" / "failed" / "quantize"
    first = json.loads((folder / "ladder.json").read_text())["rungs"]
    assert list(dict.fromkeys(row["rung"] for row in first)) == [
        "post-training int8", "better calibration", "exceptions for the worst layers",
        "quantization-aware training",
    ]  # fmt: skip
    assert [row["reason"] for row in first] == [None] * len(first)
    assert load(folder / "int8.tflite").batch == 1
    assert not (tmp_path / "ladder" / "quantize").exists()

    # Again: no success, and what was finished is not done again.
    with pytest.raises(PromiseError):
        pipeline.run(VALUES, artifacts=tmp_path)
    assert json.loads((folder / "ladder.json").read_text())["rungs"][:-1] == first[:-1]

    monkeypatch.undo()
    run = pipeline.run(VALUES, artifacts=tmp_path)
    assert not folder.exists()
    metrics = run.metrics["quantize"]
    assert [row["kept"] for row in metrics["ladder"]["rungs"]] == [True]
    assert metrics["files"][0]["error_increase"] == first[0]["error_increase"]
    assert metrics["files"][0]["layer_errors"]["layers"]
    assert (run.stages["quantize"].path / metrics["files"][0]["file"]).is_file()
