"""Where the ranges of activations start: at what the data shows, not at ±6.

tfmot's moving averages begin at -6 and 6 and move by 0.1 % per step (tfmot 0.8.1): a short
fine-tuning would end with ranges far from the data's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tf_keras

ROUNDS = 3
# tfmot's MovingAvgQuantize: variable ← DECAY · variable + (1 - DECAY) · range of the batch.
DECAY = 0.999


def set_ranges(quantized: tf_keras.Model, x: np.ndarray) -> int:
    """Sets each activation's range to what a batch shows; all other variables stay.

    A pass in training mode moves each variable a little towards the batch's range, and the
    move tells that range. A range can only be read behind ranges that are right, so passes
    are repeated.

    Args:
        quantized: the model after quantize_apply.
        x: samples, float32 (n, …).

    Returns:
        The number of ranges that were set.
    """
    from pipeline.bridge.state import last_name, random_states

    ranges = _moving_ranges(quantized)
    flat = [variable for pair in ranges for variable in pair]
    others = [*quantized.variables, *random_states(quantized)]
    saved = [(variable, variable.numpy()) for variable in others if not _among(variable, flat)]
    for _ in range(ROUNDS):
        before = [variable.numpy() for variable in flat]
        quantized(x, training=True)
        seen = [
            (variable.numpy().astype(np.float64) - DECAY * old) / (1 - DECAY)
            for variable, old in zip(flat, before, strict=True)
        ]
        for number, (low, high) in enumerate(ranges):
            bottom, top = min(seen[2 * number], 0.0), max(seen[2 * number + 1], 0.0)
            # A signal that is zero throughout has no range; keep one that can be divided by.
            low.assign(bottom)
            high.assign(top if top > bottom else bottom + 1e-3)
    for variable, value in saved:
        if not last_name(variable).endswith(("_min", "_max")):
            variable.assign(value)
    return len(ranges)


def _among(variable: Any, variables: list[Any]) -> bool:
    return any(variable is other for other in variables)


def _moving_ranges(quantized: tf_keras.Model) -> list[tuple[Any, Any]]:
    """Finds the (min, max) variables of activations; those of weights follow the weights."""
    found: list[dict[str, Any]] = []
    for layer in quantized.layers:
        for activation in getattr(layer, "_quantize_activations", []):
            for name in ("_pre_activation_vars", "_post_activation_vars"):
                found.append(getattr(activation, name, None) or {})
        if getattr(layer, "_output_quantizers", None):
            found.append(layer._output_quantizer_vars)
    return [(pair["min_var"], pair["max_var"]) for pair in found if pair]
