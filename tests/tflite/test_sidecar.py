"""The description beside a file."""

from __future__ import annotations

import hashlib
import json

import pytest

from pipeline.errors import ArtifactError
from pipeline.tflite.sidecar import describe_file
from tests.tflite.conftest import CLASS_NAMES, Converted


def test_a_sidecar_says_all_that_is_needed(converted: Converted) -> None:
    path = converted.paths["int8"]
    preprocessing = {"scale": 0.0625, "offset": 0.0, "placement": "sidecar"}
    content = describe_file(path, CLASS_NAMES, preprocessing)
    assert json.loads(json.dumps(content)) == content
    assert content["file"] == "int8.tflite"
    assert content["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert content["labels"] == list(CLASS_NAMES)
    assert content["output_kind"] == "logits"
    image = content["inputs"][0]
    assert (image["name"], image["shape"], image["dtype"]) == ("image", [1, 8, 8, 2], "int8")
    assert image["scale"] == pytest.approx(1 / 255, rel=0.01)
    assert image["zero_point"] == -128
    assert content["preprocessing"]["scale"] == 0.0625
    assert content["preprocessing"]["placement"] == "sidecar"
    assert "round_half_to_even" in content["quantize"]


def test_no_preprocessing(converted: Converted) -> None:
    content = describe_file(converted.paths["float32"], CLASS_NAMES, None)
    assert content["preprocessing"] is None
    assert content["inputs"][0]["scale"] is None


def test_labels_must_be_as_many_as_outputs(converted: Converted) -> None:
    with pytest.raises(ArtifactError, match="4 outputs for 2 class names"):
        describe_file(converted.paths["int8"], ("a", "b"), None)
