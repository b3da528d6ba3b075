"""Files without words: the same model, the same answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.compression.sizes import gzip_size
from pipeline.tflite.flatbuffer import decode_model, read_model
from pipeline.tflite.inspect import inspect, kernels_by_operator
from pipeline.tflite.interpreter import load
from pipeline.tflite.strip import strip
from tests.tflite.conftest import Converted

SCHEMES = ["float32", "float16", "dynamic_range", "int8", "int16x8"]


@pytest.mark.parametrize("name", SCHEMES)
def test_the_model_is_the_same(converted: Converted, name: str, tmp_path: Path) -> None:
    before = converted.paths[name].read_bytes()
    after = strip(before)
    assert len(after) == len(before)
    assert gzip_size(after) < gzip_size(before) - 150
    old, new = decode_model(before), decode_model(after)
    assert (new.input_names, new.output_names) == (old.input_names, old.output_names)
    for ours, theirs in zip(new.main.tensors, old.main.tensors, strict=True):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        assert (ours.data is None) == (theirs.data is None)
        if ours.data is not None and theirs.data is not None:
            np.testing.assert_array_equal(ours.data, theirs.data)
        np.testing.assert_array_equal(ours.scales, theirs.scales)
    assert new.main.operators == old.main.operators
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(after)
    x = np.random.default_rng(0).random((3, *load(path).inputs[0].shape[1:]), np.float32)
    np.testing.assert_array_equal(load(path).predict(x), load(converted.paths[name]).predict(x))


def test_kernels_keep_their_names_and_nothing_else_does(converted: Converted) -> None:
    before = read_model(converted.paths["int8"])
    after = decode_model(strip(converted.paths["int8"].read_bytes()))
    kernels = {tensor.index: tensor.name for _, tensor in kernels_by_operator(before.main)}
    assert len(kernels) == 3 and all(kernels.values())
    assert {t.index: t.name for t in after.main.tensors if t.name} == kernels


def test_words_that_are_gone(converted: Converted, tmp_path: Path) -> None:
    before = converted.paths["int8"].read_bytes()
    after = strip(before)
    for words in (b"MLIR Converted.", b"CONVERSION_METADATA", b"min_runtime_version"):
        assert words in before and words not in after
    assert strip(after) == after
    path = tmp_path / "int8.tflite"
    path.write_bytes(after)
    assert inspect(path).macs == inspect(converted.paths["int8"]).macs
