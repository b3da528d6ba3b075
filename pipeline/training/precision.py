"""Mixed precision: layers compute in 16 bits while a model trains; its weights stay float32.

Micikevicius et al., "Mixed Precision Training", ICLR 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# They hold constants from 0 to 255 or statistics, cost nothing, and bfloat16 has 8 bits.
IN_FLOAT32 = ("Rescaling", "Normalization")


@contextmanager
def computing_in(model: keras.Model, precision: str) -> Iterator[None]:
    """Lets the layers of a model compute in 16 bits for as long as the block lasts.

    Graphs traced inside keep that precision. The model is neither rebuilt nor copied: variables
    are float32 under every policy of the kind, so what is saved afterwards is a float32 model.
    Outputs stay float32, since a loss is not to be computed in 16 bits.

    Args:
        model: built, in float32.
        precision: "none", "bfloat16" or "float16".
    """
    import keras

    if precision == "none":
        yield
        return
    policy = keras.dtype_policies.DTypePolicy(f"mixed_{precision}")
    last = {id(tensor._keras_history.operation) for tensor in model.outputs}
    layers: list[Any] = [
        layer
        for layer in model._flatten_layers(include_self=False)
        if id(layer) not in last and type(layer).__name__ not in IN_FLOAT32
    ]
    before = [layer.dtype_policy for layer in layers]
    try:
        for layer in layers:
            layer.dtype_policy = policy
        yield
    finally:
        for layer, own in zip(layers, before, strict=True):
            layer.dtype_policy = own


def scale_losses(
    optimizer: keras.optimizers.Optimizer, precision: str
) -> keras.optimizers.Optimizer:
    """Wraps the optimizer for float16, whose small gradients would vanish unscaled.

    The loss is multiplied by a scale that grows while gradients are finite; a step with an
    infinite gradient halves it and is skipped. bfloat16 has float32's range and needs none.
    """
    import keras

    return keras.optimizers.LossScaleOptimizer(optimizer) if precision == "float16" else optimizer


def describe_precision(precision: str) -> str | None:
    """Says what mixed precision means on this machine, None without it."""
    import tensorflow as tf

    if precision == "none":
        return None
    if tf.config.list_physical_devices("GPU"):
        return f"layers computed in {precision} while training; the model is float32"
    return (
        f"layers computed in {precision} while training, the model is float32; without a GPU that "
        "is slower than float32, not faster"
    )
