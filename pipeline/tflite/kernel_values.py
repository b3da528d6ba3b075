"""The real values of the kernels in a `.tflite` file, as histograms for the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.compression.histograms import count_values, dequantize
from pipeline.tflite.flatbuffer import Subgraph, read_model
from pipeline.tflite.inspect import dequantized_from, inspect_model


def describe_kernels(path: Path) -> list[dict[str, Any]]:
    """Counts the values of each kernel, in the order in which the file's operators read them.

    Args:
        path: a `.tflite` file.

    Returns:
        list of {"name", "shape", "dtype", "low", "high", "counts", "parameters", "zeros",
        "distinct"}; quantized values are counted as the real numbers that they stand for.

    Raises:
        ArtifactError: the file is missing or torn.
    """
    model = read_model(path)
    wanted = {(weight.name, weight.shape) for weight in inspect_model(model).kernels}
    kernels = []
    for subgraph in model.subgraphs:
        order = reading_order(subgraph)
        found = [
            tensor
            for tensor in subgraph.tensors
            if tensor.data is not None and (tensor.name, tensor.shape) in wanted
        ]
        for tensor in sorted(found, key=lambda tensor: order.get(tensor.index, len(order))):
            assert tensor.data is not None  # the others were left out above
            values = dequantize(
                tensor.data,
                tensor.scales,
                tensor.zero_points,
                tensor.quantized_dimension,
                tensor.block_size,
            )
            histogram = count_values(values).to_json()
            kernels.append(
                {
                    "name": tensor.name,
                    "shape": list(tensor.shape),
                    "dtype": tensor.dtype,
                    **histogram,
                }
            )
    return kernels


def reading_order(subgraph: Subgraph) -> dict[int, int]:
    """When each tensor is first read; a float16 one when its DEQUANTIZE's output is."""
    origin = dequantized_from(subgraph)
    order: dict[int, int] = {}
    for operator in subgraph.operators:
        if operator.name != "DEQUANTIZE":
            for index in operator.inputs:
                order.setdefault(origin.get(index, index), len(order))
    return order
