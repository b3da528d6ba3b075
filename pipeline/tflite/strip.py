"""Blanks what no runtime reads in a `.tflite` file: 300 to 400 bytes after gzip.

Names of tensors between layers and of biases, the description, and the converter's notes about
itself. Names of kernels and of the signature stay: the report, the sidecar and `run_model.py` call
things by them. Bytes become zeros where they are, and the file keeps its length: written anew by
flatbuffers for Python, constants would lose their alignment to 16 bytes, which TFLite Micro needs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.inspect import kernels_by_operator

# What the converter writes about itself; what others put into the metadata stays.
_CONVERTERS_OWN = frozenset({b"CONVERSION_METADATA", b"min_runtime_version"})
# Places in the vtables of schema.fbs.
_TENSOR_NAME, _MODEL_DESCRIPTION, _METADATA_NAME = 10, 10, 4


def strip(content: bytes) -> bytes:
    """Returns the same model with fewer words in it.

    Args:
        content: a whole `.tflite` file.

    Returns:
        A file of the same length with the same operators, constants, kernel names and signatures.
    """
    from ai_edge_litert import schema_py_generated as schema

    data = bytearray(content)
    model = schema.Model.GetRootAs(data, 0)
    for table, field in _blanked_strings(model, content):
        _blank_string(data, table, field)
    _blank_string(data, model, _MODEL_DESCRIPTION)
    for number in range(model.MetadataLength()):
        entry = model.Metadata(number)
        if entry.Name() in _CONVERTERS_OWN:
            buffer = model.Buffers(entry.Buffer())
            if buffer.DataLength():
                buffer.DataAsNumpy()[:] = 0
            _blank_string(data, entry, _METADATA_NAME)
    return bytes(data)


def _blanked_strings(model: Any, content: bytes) -> Iterator[tuple[Any, int]]:
    """Yields the tensors whose names go, each with the place of the name in its vtable."""
    for number, subgraph in enumerate(decode_model(content).subgraphs):
        kept = {tensor.index for _, tensor in kernels_by_operator(subgraph)}
        for index in set(range(len(subgraph.tensors))) - kept:
            yield model.Subgraphs(number).Tensors(index), _TENSOR_NAME


def _blank_string(data: bytearray, table: Any, field: int) -> None:
    """Makes a string empty and its characters zeros; nothing where the field is left out."""
    offset = table._tab.Offset(field)
    if not offset:
        return
    place = table._tab.Pos + offset
    start = place + struct.unpack_from("<I", data, place)[0]
    (length,) = struct.unpack_from("<I", data, start)
    data[start : start + 4 + length] = bytes(4 + length)
