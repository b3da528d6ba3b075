"""Content of one tensor, of two that share it, by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from pipeline.tflite.constants import write_constant


def test_a_shared_buffer_stays_and_one_of_its_own_is_used_again() -> None:
    tensors = [SimpleNamespace(buffer=number) for number in (1, 1, 2)]
    buffers = [SimpleNamespace(data=np.full(4, number, np.uint8)) for number in range(3)]
    model = SimpleNamespace(subgraphs=[SimpleNamespace(tensors=tensors)], buffers=buffers)
    write_constant(model, tensors[2], np.array([[1, -1]], np.int16))
    assert [tensor.buffer for tensor in tensors] == [1, 1, 2] and len(model.buffers) == 3
    assert model.buffers[2].data.tolist() == [1, 0, 255, 255]
    write_constant(model, tensors[0], np.array([7], np.int32))
    assert [tensor.buffer for tensor in tensors] == [3, 1, 2] and len(model.buffers) == 4
    assert model.buffers[3].data.tolist() == [7, 0, 0, 0]
    assert model.buffers[1].data.tolist() == [1, 1, 1, 1]
