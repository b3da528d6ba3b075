"""The description beside a file."""

from __future__ import annotations

import hashlib
import json

import pytest

from pipeline.errors import ArtifactError
from pipeline.tasks.task import TASKS, Task, classification
from pipeline.tflite.sidecar import OUTPUT_KINDS, describe_file
from tests.tflite.conftest import CLASS_NAMES, Converted

TASK = classification(CLASS_NAMES)


def test_a_sidecar_says_all_that_is_needed(converted: Converted) -> None:
    path = converted.paths["int8"]
    preprocessing = {"scale": 0.0625, "offset": 0.0, "placement": "sidecar"}
    content = describe_file(path, TASK, preprocessing)
    assert json.loads(json.dumps(content)) == content
    assert content["file"] == "int8.tflite"
    assert content["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert content["task"] == "classification"
    assert content["labels"] == list(CLASS_NAMES)
    assert content["output_kind"] == "logits"
    assert content["targets"] is None and content["encoding"] is None
    image = content["inputs"][0]
    assert (image["name"], image["shape"], image["dtype"]) == ("image", [1, 8, 8, 2], "int8")
    assert image["scale"] == pytest.approx(1 / 255, rel=0.01)
    assert image["zero_point"] == -128
    assert content["preprocessing"]["scale"] == 0.0625
    assert content["preprocessing"]["placement"] == "sidecar"
    assert "round_half_to_even" in content["quantize"]


def test_no_preprocessing(converted: Converted) -> None:
    content = describe_file(converted.paths["float32"], TASK, None)
    assert content["preprocessing"] is None
    assert content["inputs"][0]["scale"] is None


def test_targets_of_a_regression_and_an_encoding(converted: Converted) -> None:
    scale, offset = (2.0, 1.0, 1.0, 1.0), (0.5, 0.0, 0.0, 0.0)
    task = Task("regression", 4, CLASS_NAMES, scale, offset)
    encoding = {"kind": "table", "columns": []}
    content = describe_file(converted.paths["int8"], task, None, encoding)
    assert content["output_kind"] == "values"
    assert content["targets"] == {"scale": list(scale), "offset": list(offset)}
    assert content["encoding"] == encoding


def test_every_task_has_an_output_kind() -> None:
    assert OUTPUT_KINDS.keys() == TASKS.keys()


def test_outputs_must_be_as_many_as_the_tasks(converted: Converted) -> None:
    with pytest.raises(ArtifactError, match="4 outputs, expected 2 for task classification"):
        describe_file(converted.paths["int8"], classification(("a", "b")), None)
