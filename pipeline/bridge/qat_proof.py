"""The proof that tfmot's quantization emulates the model it was given, and not another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.proof import OUTPUT_TOLERANCE, relative_difference
from pipeline.bridge.start import import_tfmot
from pipeline.errors import PromiseError

if TYPE_CHECKING:
    import tf_keras

# Whole models are compared, at the cost of one call each.
SAMPLES = 8


def prove_quantized(plain: tf_keras.Model, quantized: tf_keras.Model, x: np.ndarray) -> float:
    """Compares the outputs of both models with every quantizer switched off.

    quantize_apply takes the graph apart and builds it anew. It has wired layers to other inputs
    without a word (see input_order.py), and the noise of 8 bits hides such a fault.

    Args:
        plain: the model that was quantized.
        quantized: what quantize_apply made of it.
        x: samples, (n, …); the first SAMPLES are used.

    Returns:
        The largest difference, relative to the spread of the outputs over the samples.

    Raises:
        PromiseError: they differ by more than OUTPUT_TOLERANCE.
    """
    import tensorflow as tf

    samples = x[:SAMPLES]
    expected = tf.nest.flatten(plain(samples, training=False))
    with unquantized():
        received = tf.nest.flatten(quantized(samples, training=False))
    worst = max(
        relative_difference(one.numpy(), other.numpy())
        for one, other in zip(expected, received, strict=True)
    )
    if worst > OUTPUT_TOLERANCE:
        raise PromiseError(
            f"tfmot's quantized copy of '{plain.name}' is another function: without any rounding "
            f"its outputs differ by {worst:.2g} of their spread, expected at most "
            f"{OUTPUT_TOLERANCE:g}; use quantize.method: ptq, and report this model"
        )
    return worst


@contextmanager
def unquantized() -> Iterator[None]:
    """Lets every quantizer of tfmot hand on what it is given, while the block runs."""
    import_tfmot()
    from tensorflow_model_optimization.python.core.quantization.keras import quantizers

    calls = [
        (one, one.__dict__["__call__"])
        for one in _with_subclasses(quantizers.Quantizer)
        if "__call__" in one.__dict__
    ]

    def hand_on(self: Any, inputs: Any, training: Any, weights: Any, **kwargs: Any) -> Any:
        return inputs

    for one, _ in calls:
        one.__call__ = hand_on
    try:
        yield
    finally:
        for one, call in calls:
            one.__call__ = call


def _with_subclasses(parent: Any) -> list[Any]:
    found = [parent]
    for child in parent.__subclasses__():
        found += _with_subclasses(child)
    return found
