"""A file as objects and back is the same file to its readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.interpreter import load
from pipeline.tflite.unpacked import pack, unpack
from tests.prediction.tiny_files import KERNEL, dense_file


@pytest.mark.parametrize("expected_bytes", [1, 1024])
def test_a_file_comes_back(expected_bytes: int, tmp_path: Path) -> None:
    path, again = dense_file(tmp_path / "a.tflite"), tmp_path / "b.tflite"
    again.write_bytes(pack(unpack(path.read_bytes()), expected_bytes))
    assert read_model(again).main.operators == read_model(path).main.operators
    assert [t.name for t in read_model(again).main.tensors] == ["x", "kernel", "answer"]
    x = np.array([[2.0, 3.0]], np.float32)
    np.testing.assert_array_equal(load(again).predict(x), x @ KERNEL.T)


def test_what_is_changed_is_in_the_file(tmp_path: Path) -> None:
    path = dense_file(tmp_path / "a.tflite")
    model = unpack(path.read_bytes())
    model.buffers[1].data = (2 * KERNEL).reshape(-1).view(np.uint8)
    path.write_bytes(pack(model))
    x = np.array([[2.0, 3.0]], np.float32)
    np.testing.assert_array_equal(load(path).predict(x), 2 * x @ KERNEL.T)
