"""Keeps the outputs of a file in the order of the Keras model.

A signature is a map: the converter (tensorflow 2.21.0) writes its outputs in an order of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

_FILE = "output_order.json"


def write_output_order(saved_model: Path, names: Sequence[str]) -> None:
    """Notes the order beside a SavedModel.

    Args:
        saved_model: the folder.
        names: of the signature's outputs.
    """
    (saved_model / _FILE).write_text(json.dumps(list(names)))


def restore_output_order(content: bytes, saved_model: Path) -> bytes:
    """Puts the outputs of a file into the order that was noted.

    Args:
        content: a whole `.tflite` file with the signature of the SavedModel.
        saved_model: what it was made of; without a note the order stays.

    Returns:
        The same file, of the same length.
    """
    from ai_edge_litert import schema_py_generated as schema

    note = saved_model / _FILE
    if not note.is_file():
        return content
    data = bytearray(content)
    model = schema.Model.GetRootAs(data, 0)
    outputs = model.Subgraphs(0).OutputsAsNumpy()
    signature = model.SignatureDefs(0)
    entries = [signature.Outputs(index) for index in range(signature.OutputsLength())]
    by_name = {entry.Name().decode(): entry.TensorIndex() for entry in entries}
    # A view into `data`: nothing else in the file refers to the places of outputs.
    outputs[:] = [by_name[name] for name in json.loads(note.read_text())]
    return bytes(data)
