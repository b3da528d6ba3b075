"""Writes other content into the constants of an unpacked `.tflite` file."""

from __future__ import annotations

from typing import Any

import numpy as np


def write_constant(model: Any, tensor: Any, values: np.ndarray) -> None:
    """Gives a tensor new content; no other tensor's changes, and nothing unused is left behind.

    Tensors of equal content share a buffer in files of tensorflow 2.21.0: one that shares its
    buffer gets a buffer of its own.

    Args:
        model: a `ModelT` of the schema; changed in place.
        tensor: one of its tensors.
        values: of the tensor's dtype and number of elements.
    """
    from ai_edge_litert import schema_py_generated as schema

    users = sum(
        other.buffer == tensor.buffer for graph in model.subgraphs for other in graph.tensors
    )
    if users > 1:
        tensor.buffer = len(model.buffers)
        model.buffers.append(schema.BufferT())
    content = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    model.buffers[tensor.buffer].data = content
