"""A sidecar is believed only if it is this file's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ArtifactError
from pipeline.prediction.sidecar_file import check_tensors, read_sidecar
from pipeline.tasks.task import classification
from pipeline.tflite.interpreter import load
from tests.prediction.tiny_files import dense_file, ship


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return ship(tmp_path, classification(("ant", "bee", "cat")))


def change(model: Path, **values: Any) -> None:
    path = model.with_suffix(".json")
    sidecar = json.loads(path.read_text())
    path.write_text(json.dumps({**sidecar, **values}))


def test_a_whole_one(model: Path) -> None:
    sidecar = read_sidecar(model)
    assert sidecar["labels"] == ["ant", "bee", "cat"]
    check_tensors(model, sidecar, load(model))


def test_what_is_missing(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no such file; give a \.tflite"):
        read_sidecar(tmp_path / "nowhere.tflite")
    model.with_suffix(".json").unlink()
    with pytest.raises(ArtifactError, match="no such sidecar; copy it from the export folder"):
        read_sidecar(model)


@pytest.mark.parametrize("text", ["{", "[]", "3", "\udcff"])
def test_what_is_no_sidecar(model: Path, text: str) -> None:
    model.with_suffix(".json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ArtifactError, match="export the model again"):
        read_sidecar(model)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": 1}, "format 1, expected"),
        ({"labels": None}, "no proper 'labels'"),
        ({"output_kind": "oracle"}, "unknown output_kind 'oracle'"),
        ({"sha256": "0" * 64}, "expected 000000000000… as its sidecar says"),
    ],
)
def test_what_does_not_fit(model: Path, values: dict[str, Any], message: str) -> None:
    change(model, **values)
    with pytest.raises(ArtifactError, match=message):
        read_sidecar(model)


def test_other_tensors_than_the_file_has(model: Path, tmp_path: Path) -> None:
    sidecar = read_sidecar(model)
    other = dense_file(tmp_path / "other.tflite", (1, 2, 1))
    with pytest.raises(ArtifactError, match="its inputs are not those of the sidecar"):
        check_tensors(other, sidecar, load(other))
