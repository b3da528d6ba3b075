"""A `.tflite` file as objects of its schema that can be changed, and back."""

from __future__ import annotations

from typing import Any

from pipeline.tflite.flatbuffer import FILE_IDENTIFIER


def unpack(content: bytes) -> Any:
    """Returns a whole file as a `ModelT` of the schema."""
    from ai_edge_litert import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(content, 0)


def pack(model: Any, expected_bytes: int = 1024) -> bytes:
    """Returns the file of a `ModelT`.

    Args:
        model: as of `unpack`.
        expected_bytes: about how long it will be; more is made room for as it comes.
    """
    import flatbuffers

    builder = flatbuffers.Builder(expected_bytes)
    builder.Finish(model.Pack(builder), FILE_IDENTIFIER)
    return bytes(builder.Output())
