"""Activations and normalizations written with operators that all have integer kernels.

The same functions, other operators. Mean difference of an int8 file from Keras relative to the
spread of the outputs, as Keras 3 (3.15.1) writes it → in this form; convolution, activation, dense
layer, random weights, the worse of two (tensorflow 2.21.0, LiteRT 2.3.0):

    elu           0.017, ELU in float32      → 0.017
    celu          0.69: MINIMUM asks for one scale on both sides, which cuts off what is above 0
                                             → 0.017
    selu          0.39: EXP of large numbers → 0.017
    softplus      0.23: the same             → 0.021
    mish          0.048: the same            → 0.020
    log_sigmoid   0.12, NEG in float32       → 0.023
    LayerNormalization  0.041, NEG in float32 → 0.021; int16x8 cannot run → 0.005
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha · (exp(x) − 1)."""
    return _elu(x, 1.0, alpha, 1.0)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha · (exp(x / alpha) − 1)."""
    return _elu(x, 1.0, alpha, 1.0 / alpha)


def selu(x: Any) -> Any:
    """1.0507 · elu(x, 1.6733)."""
    return _elu(x, _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA, 1.0)


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    from keras import ops

    return ops.relu(x) - ops.log(ops.sigmoid(ops.abs(x)))


def log_sigmoid(x: Any) -> Any:
    """log(1 / (1 + exp(−x)))."""
    from keras import ops

    return (x - ops.relu(x)) + ops.log(ops.sigmoid(ops.abs(x)))


def mish(x: Any) -> Any:
    """x · tanh(softplus(x))."""
    from keras import ops

    return x * ops.tanh(softplus(x))


def standardize(x: Any, axes: Any, epsilon: float, subtract_mean: bool = True) -> Any:
    """(x − mean) / √(variance + epsilon) over `axes`; without the mean: root mean square."""
    from keras import ops

    centred = x - ops.mean(x, axes, keepdims=True) if subtract_mean else x
    # Not ops.square: SQUARE has no integer kernel; nor SQUARED_DIFFERENCE, which has none for 16.
    variance = ops.mean(centred * centred, axes, keepdims=True)
    return centred * ops.rsqrt(variance + epsilon)


def _elu(x: Any, above: float, below: float, steepness: float) -> Any:
    from keras import ops

    positive = ops.relu(x)
    # x − relu(x) is min(x, 0) with a scale of its own; behind it EXP stays within (0, 1].
    exponent = x - positive if steepness == 1.0 else (x - positive) * steepness
    negative = ops.exp(exponent) - 1.0
    return _scaled(positive, above) + _scaled(negative, below)


def _scaled(x: Any, factor: float) -> Any:
    return x if factor == 1.0 else x * factor


# By the names that these functions, and the operations of keras.ops, have in Keras.
ACTIVATION_FORMS: dict[str, Callable[..., Any]] = {
    "celu": celu,
    "elu": elu,
    "log_sigmoid": log_sigmoid,
    "mish": mish,
    "selu": selu,
    "softplus": softplus,
}
OPERATION_FORMS: dict[str, Callable[..., Any]] = {
    "Celu": celu,
    "Elu": elu,
    "LogSigmoid": log_sigmoid,
    "Selu": selu,
    "Softplus": softplus,
}
