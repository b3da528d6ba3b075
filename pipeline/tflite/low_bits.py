"""int4 and int2 weights, by ai-edge-quantizer: from a float `.tflite` to one with packed kernels.

Activations stay float32 in the file; the runtime quantizes them to int8 as it goes (dynamic range).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.layer_schemes import LayerSchemes
from pipeline.tflite.zero_scales import mend_zero_scales

WeightAlgorithm = Literal["min_max", "octav", "mse", "gptq"]
LOW_BIT_SCHEMES = ("int4", "int2")
WEIGHT_ALGORITHMS = ("min_max", "octav", "mse", "gptq")
BLOCK_SIZES = (32, 64, 128, 256)
DENSE = "FULLY_CONNECTED"
# Type of the kernels by operator. ai-edge-quantizer 0.10.0 has forms below int8 for the first two
# only, and none at all for operators that are not here. ai-edge-litert 2.3.0 runs a CONV_2D with
# an int2 kernel, but its outputs are garbage or NaN: those get int4.
KERNEL_DTYPES: dict[str, dict[str, str]] = {
    # No scheme of a file (dynamic_range is the converter's own), but of single layers.
    "int8": dict.fromkeys(
        (DENSE, "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "BATCH_MATMUL"), "int8"
    ),
    "int4": {
        DENSE: "int4",
        "CONV_2D": "int4",
        "DEPTHWISE_CONV_2D": "int8",
        "TRANSPOSE_CONV": "int8",
        "BATCH_MATMUL": "int8",
    },
    "int2": {
        DENSE: "int2",
        "CONV_2D": "int4",
        "DEPTHWISE_CONV_2D": "int8",
        "TRANSPOSE_CONV": "int8",
        "BATCH_MATMUL": "int8",
    },
}
BITS = {"int2": 2, "int4": 4, "int8": 8}
# ai-edge-quantizer's own names, where they differ.
QUANTIZER_OPERATORS = {"TRANSPOSE_CONV": "CONV_2D_TRANSPOSE"}
ALGORITHMS = {
    "min_max": "min_max_uniform_quantize",
    "octav": "OCTAV",
    "mse": "MSE",
    "gptq": "GPTQ",
}
_SIGNATURE = "serving_default"


@dataclass(frozen=True)
class _Rule:
    """What a kind of operator, or one operator, is given; bits None: float. Later rules win."""

    scope: str
    operator: str
    num_bits: int | None
    granularity: str = "CHANNELWISE"
    algorithm: str = ALGORITHMS["min_max"]


def quantize_weights(
    content: bytes,
    scheme: str,
    algorithm: str,
    dense_scales: str,
    block_size: int | None,
    batches: Iterable[dict[str, np.ndarray]] | None = None,
    layers: LayerSchemes | None = None,
) -> bytes:
    """Quantizes the kernels of a float file.

    Args:
        content: the float `.tflite`, with the signature `serving_default`.
        scheme: one of LOW_BIT_SCHEMES.
        algorithm: that chooses the scales: min_max; octav (Sakr et al. 2022, arXiv 2206.06501);
            mse (a fixed multiple of the standard deviation); gptq (Frantar et al. 2023, arXiv
            2210.17323: errors are made up for by the weights that follow; dense kernels, the
            others by min_max).
        dense_scales: per_channel or per_tensor.
        block_size: inputs of a dense layer that share a float16 scale; None: all of them. Kernels
            that it does not divide have a scale per channel.
        batches: one dict of input name → array per batch; what gptq measures.
        layers: exceptions from the scheme: float32, int8, int4 or int2 for single layers.

    Returns:
        The content of the quantized file.
    """
    from ai_edge_quantizer import quantizer
    from ai_edge_quantizer.qtyping import QuantGranularity, TFLOperationName

    made = quantizer.Quantizer(content)
    rules = list(_rules(content, scheme, algorithm, dense_scales, block_size))
    rules += _layer_rules(content, layers, algorithm, dense_scales)
    for rule in rules:
        name = TFLOperationName(QUANTIZER_OPERATORS.get(rule.operator, rule.operator))
        if rule.num_bits is None:
            made.update_quantization_recipe(rule.scope, name, algorithm_key="no_quantize")
            continue
        made.add_dynamic_config(
            rule.scope,
            name,
            rule.num_bits,
            QuantGranularity(rule.granularity),
            rule.algorithm,
        )
    found = None
    if algorithm == "gptq":
        # One thread: sums in another order would be other bytes.
        found = made.calibrate({_SIGNATURE: list(batches or ())}, num_threads=1)
    result = made.quantize(found, enable_progress_bar=False, enable_progress_report=False)
    return mend_zero_scales(bytes(result.quantized_model))


def divided_kernels(content: bytes, block_size: int) -> Iterator[tuple[str, Any]]:
    """Yields (name of the operator's output, kernel) of each dense layer that blocks divide."""
    subgraph = decode_model(content).main
    for operator in subgraph.operators:
        if operator.name == DENSE:
            kernel = subgraph.tensors[operator.inputs[1]]
            if kernel.data is not None and kernel.shape[1] % block_size == 0:
                yield subgraph.tensors[operator.outputs[0]].name, kernel


def _rules(
    content: bytes, scheme: str, algorithm: str, dense_scales: str, block_size: int | None
) -> Iterator[_Rule]:
    for operator in KERNEL_DTYPES[scheme]:
        yield _kernel_rule(".*", operator, scheme, algorithm, dense_scales)
    if block_size is not None:
        num_bits = BITS[KERNEL_DTYPES[scheme][DENSE]]
        for output, _ in divided_kernels(content, block_size):
            blocks = f"BLOCKWISE_{block_size}"
            yield _Rule(_scope_of(output), DENSE, num_bits, blocks, ALGORITHMS[algorithm])


def _layer_rules(
    content: bytes, layers: LayerSchemes | None, algorithm: str, dense_scales: str
) -> Iterator[_Rule]:
    for scope, operator, scheme in excepted_operators(content, layers):
        if operator not in KERNEL_DTYPES["int8"]:
            continue
        if scheme == "float32":
            yield _Rule(scope, operator, None)
        else:
            yield _kernel_rule(scope, operator, scheme, algorithm, dense_scales)


def excepted_operators(
    content: bytes, layers: LayerSchemes | None
) -> Iterator[tuple[str, str, str]]:
    """Yields each operator whose layer has a scheme of its own.

    Args:
        content: a float `.tflite`.
        layers: exceptions from the file's scheme.

    Yields:
        (ai-edge-quantizer's scope of this one operator, its name in the schema, the scheme).
    """
    if layers is None:
        return
    model = decode_model(content)
    for operator, scheme in zip(model.main.operators, layers.of_operators(model), strict=True):
        if scheme is not None:
            output = model.main.tensors[operator.outputs[0]].name
            yield _scope_of(output), operator.name, scheme


def _kernel_rule(
    scope: str, operator: str, scheme: str, algorithm: str, dense_scales: str
) -> _Rule:
    dtype = KERNEL_DTYPES[scheme][operator]
    if dtype == "int8" or (algorithm == "gptq" and operator != DENSE):
        algorithm = "min_max"
    granularity = kernel_granularity(operator, dense_scales)
    return _Rule(scope, operator, BITS[dtype], granularity, ALGORITHMS[algorithm])


def kernel_granularity(operator: str, dense_scales: str) -> str:
    """Returns ai-edge-quantizer's word for a scale per kernel or per output channel."""
    whole = operator == DENSE and dense_scales == "per_tensor"
    return "TENSORWISE" if whole else "CHANNELWISE"


def _scope_of(output: str) -> str:
    """An operator's scope is the names of its outputs, each with a semicolon."""
    return f"^{re.escape(output)};"
