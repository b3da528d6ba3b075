"""Integer files with a scheme per operator, by ai-edge-quantizer, from a calibrated float file.

The converter's own quantizer knows one scheme for the whole file. ai-edge-quantizer 0.10.0 takes
one for each operator, and puts a QUANTIZE between two that differ. It is given the ranges that the
converter found: with int8 throughout both then make the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.tflite.bias_range import mend_bias_range
from pipeline.tflite.calibration import calibrated_ranges
from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.layer_schemes import LayerSchemes
from pipeline.tflite.low_bits import (
    ALGORITHMS,
    BITS,
    DENSE,
    QUANTIZER_OPERATORS,
    excepted_operators,
    kernel_granularity,
)
from pipeline.tflite.zero_scales import mend_zero_scales

# Bits of activations and weights. Operators that are not in INT4_KERNELS have no form with int4
# weights and get int8.
STATIC_BITS = {"int8": (8, 8), "int16x8": (16, 8), "int8x4": (8, 4), "int4": (8, 4)}
INT4_KERNELS = ("CONV_2D", DENSE)
_ALL = "*"


def kernel_dtype(scheme: str, operator: str) -> str:
    """Returns the type that a kernel has in an integer file.

    Args:
        scheme: one of STATIC_BITS, of the operator.
        operator: its name in the schema.
    """
    four = STATIC_BITS[scheme][1] == BITS["int4"] and operator in INT4_KERNELS
    return "int4" if four else "int8"


@dataclass(frozen=True)
class _Rule:
    """What a kind of operator, or one operator, is given; bits None: float. Later rules win."""

    scope: str
    operator: str
    bits: tuple[int, int] | None
    granularity: str = "CHANNELWISE"
    algorithm: str = "min_max"


def quantize_static(
    calibrated: bytes,
    scheme: str,
    io_dtype: str,
    dense_scales: str,
    algorithm: str,
    layers: LayerSchemes | None,
) -> bytes:
    """Quantizes a float file by the ranges that stand in it.

    Args:
        calibrated: a float `.tflite` with "min" and "max" of each activation.
        scheme: of the file, one of STATIC_BITS.
        io_dtype: of its inputs and outputs: int8, uint8, or float32.
        dense_scales: per_channel or per_tensor.
        algorithm: that chooses the scales of int4 kernels: min_max, octav or mse.
        layers: exceptions from the scheme.

    Returns:
        The content of the quantized file.

    Raises:
        ValueError: an operator has no form in the scheme that its layer was given.
    """
    from ai_edge_quantizer import quantizer

    made = quantizer.Quantizer(calibrated)
    for rule in (
        *_file_rules(scheme, dense_scales, algorithm),
        *_layer_rules(calibrated, layers, dense_scales, algorithm),
    ):
        _add_rule(made, rule)
    _set_io(made, io_dtype)
    # Zeros of a pruned kernel may be all that a channel has: octav and mse divide by their scale.
    with np.errstate(divide="ignore", invalid="ignore"):
        result = made.quantize(
            _ranges_by_name(calibrated), enable_progress_bar=False, enable_progress_report=False
        )
    # In this order: a scale of 0 would become 1, which is too coarse for a bias.
    return mend_zero_scales(mend_bias_range(bytes(result.quantized_model), calibrated))


def _file_rules(scheme: str, dense_scales: str, algorithm: str) -> Iterator[_Rule]:
    yield _Rule(".*", _ALL, (8, 8))
    for operator in INT4_KERNELS:
        yield _kernel_rule(".*", operator, scheme, dense_scales, algorithm)


def _layer_rules(
    calibrated: bytes, layers: LayerSchemes | None, dense_scales: str, algorithm: str
) -> Iterator[_Rule]:
    for scope, operator, scheme in excepted_operators(calibrated, layers):
        if scheme == "float32":
            yield _Rule(scope, operator, None)
        elif operator in INT4_KERNELS:
            yield _kernel_rule(scope, operator, scheme, dense_scales, algorithm)
        else:
            yield _Rule(scope, operator, (STATIC_BITS[scheme][0], 8))


def _kernel_rule(
    scope: str, operator: str, scheme: str, dense_scales: str, algorithm: str
) -> _Rule:
    bits = STATIC_BITS[scheme]
    return _Rule(
        scope,
        operator,
        bits,
        kernel_granularity(operator, dense_scales),
        algorithm if bits[1] < BITS["int8"] else "min_max",
    )


def _add_rule(made: Any, rule: _Rule) -> None:
    from ai_edge_quantizer.qtyping import QuantGranularity, TFLOperationName

    name = QUANTIZER_OPERATORS.get(rule.operator, rule.operator)
    known = name in set(TFLOperationName)
    if rule.bits is None:
        if known:  # the others stay in float anyway
            made.update_quantization_recipe(
                rule.scope, TFLOperationName(name), algorithm_key="no_quantize"
            )
        return
    try:
        made.add_static_config(
            rule.scope,
            TFLOperationName(name),
            *rule.bits,
            QuantGranularity(rule.granularity),
            ALGORITHMS[rule.algorithm],
        )
    except ValueError as error:
        activations, weights = rule.bits
        raise ValueError(
            f"{rule.operator} {rule.scope!r} has no form with int{activations} activations and "
            f"int{weights} weights; give its layer another scheme in quantize.layers"
        ) from error


def _set_io(made: Any, io_dtype: str) -> None:
    from ai_edge_quantizer.qtyping import (
        ComputePrecision,
        OpQuantizationConfig,
        QuantGranularity,
        TensorDataType,
        TensorQuantizationConfig,
        TFLOperationName,
    )

    for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
        if io_dtype == "float32":
            made.update_quantization_recipe(".*", end, algorithm_key="no_quantize")
        elif io_dtype == "uint8":
            config = OpQuantizationConfig(
                TensorQuantizationConfig(8, symmetric=False, dtype=TensorDataType.UINT),
                TensorQuantizationConfig(8, granularity=QuantGranularity.CHANNELWISE),
                ComputePrecision.INTEGER,
            )
            made.update_quantization_recipe(".*", end, config)


def _ranges_by_name(calibrated: bytes) -> dict[str, dict[str, np.ndarray]]:
    tensors = decode_model(calibrated).main.tensors
    found = {}
    for index, (low, high) in calibrated_ranges(bytearray(calibrated)).items():
        ones = [1] * len(tensors[index].shape)
        found[tensors[index].name] = {"min": low.reshape(ones), "max": high.reshape(ones)}
    return found
