"""Activation functions by name: which are the same in tf_keras, and which Keras 3's own do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.bridge.layers_table import NoCounterpart

# Keras 3 name → tf_keras name, where both compute the same.
SAME_ACTIVATIONS: dict[str, str] = {
    "elu": "elu",
    "exponential": "exponential",
    "gelu": "gelu",
    "linear": "linear",
    "mish": "mish",
    "relu": "relu",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "silu": "swish",
    "softmax": "softmax",
    "softplus": "softplus",
    "softsign": "softsign",
    "swish": "swish",
    "tanh": "tanh",
}

# tf_keras lacks these, or means something else by the name: its hard_sigmoid is
# clip(0.2x + 0.5), Keras 3's is relu6(x + 3) / 6. Keras 3's functions run on the same tensors.
KERAS_3_ACTIVATIONS: tuple[str, ...] = (
    "celu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu6",
    "soft_shrink",
    "squareplus",
    "tanh_shrink",
)


def carry_activation(function: Callable[..., Any] | None) -> str | Callable[..., Any] | None:
    """Translates the activation of a Keras 3 layer.

    Args:
        function: of the live layer. In its config a function of the user's own that is called
            "relu" looks like Keras's (keras 3.15.1).

    Returns:
        What tf_keras takes as `activation`.

    Raises:
        NoCounterpart: a function that is in neither table.
    """
    import keras

    if function is None:
        return None
    for name in (*SAME_ACTIVATIONS, *KERAS_3_ACTIVATIONS):
        if getattr(keras.activations, name) is function:
            return SAME_ACTIVATIONS.get(name) or _keras_3_activation(name)
    name = getattr(function, "__name__", type(function).__name__)
    raise NoCounterpart(f"activation {name} is not among Keras's own that are known")


def activation_objects() -> dict[str, Callable[..., Any]]:
    """Returns Keras 3's functions by name, for a tf_keras custom object scope."""
    return {f"keras_3_{name}": _keras_3_activation(name) for name in KERAS_3_ACTIVATIONS}


def _keras_3_activation(name: str) -> Callable[..., Any]:
    import keras

    function = getattr(keras.activations, name)

    def activation(x: Any) -> Any:
        return function(x)

    # The name is how tfmot's copy of a layer finds the function again; with the bare name it
    # would find tf_keras's own hard_sigmoid.
    activation.__name__ = f"keras_3_{name}"
    return activation
