"""A `.tflite` file of one dense layer, written by hand: shipped files without TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

# 2 inputs, 3 outputs: logits (x, y, x + y)
KERNEL = np.array([[1, 0], [0, 1], [1, 1]], np.float32)


def dense_file(path: Path, shape: tuple[int, ...] = (1, 2), kernel: np.ndarray = KERNEL) -> Path:
    """Writes x of this shape (batch first) → x · kernelᵀ, float32."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    def tensor(name: str, dimensions: tuple[int, ...], buffer: int) -> Any:
        made = schema.TensorT()
        made.name, made.shape, made.buffer = name, list(dimensions), buffer
        made.type = schema.TensorType.FLOAT32
        return made

    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.subgraphs = 3, [graph]
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = np.frombuffer(kernel.astype(np.float32).tobytes(), np.uint8)
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 1
    model.operatorCodes = [code]
    graph.tensors = [
        tensor("x", shape, 0),
        tensor("kernel", kernel.shape, 1),
        tensor("answer", (1, len(kernel)), 0),
    ]
    layer = schema.OperatorT()
    layer.inputs, layer.outputs, layer.opcodeIndex = [0, 1, -1], [2], 0
    layer.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    layer.builtinOptions = schema.FullyConnectedOptionsT()
    graph.operators, graph.inputs, graph.outputs = [layer], [0], [2]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def ship(
    folder: Path,
    task: Any,
    *,
    shape: tuple[int, ...] = (1, 2),
    kernel: np.ndarray = KERNEL,
    preprocessing: dict[str, Any] | None = None,
    encoding: dict[str, Any] | None = None,
) -> Path:
    """Writes a file and its sidecar, as `export` does."""
    from pipeline.tflite.sidecar import describe_file

    path = dense_file(folder / "float.tflite", shape, kernel)
    sidecar = describe_file(path, task, preprocessing, encoding)
    path.with_suffix(".json").write_text(json.dumps(sidecar), encoding="utf-8")
    return path
