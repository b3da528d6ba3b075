"""One trace of the training step for calls of any number of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def trace_once(run_steps: Callable[..., Any], *, autograph: bool = True) -> Callable[..., Any]:
    """Makes (iterator, first step, batches of each step) → rows a graph function.

    Plain tf.function traces anew for every length of its third argument, and tracing the
    training step of MobileNetV2 takes 24 s of CPU (tensorflow 2.21.0); so the length is left
    open.

    Args:
        run_steps: Python that is traced; first is int64 (), batches int32 (steps,).
        autograph: whether its loops are Python's, to be rewritten.
    """
    import tensorflow as tf

    traced: list[Callable[..., Any]] = []

    def call(iterator: Any, first: tf.Tensor, batches: tf.Tensor) -> Any:
        if not traced:
            signature = [
                tf.data.IteratorSpec(iterator.element_spec),
                tf.TensorSpec((), tf.int64),
                tf.TensorSpec((None,), tf.int32),
            ]
            graph = tf.function(
                run_steps, input_signature=signature, autograph=autograph, jit_compile=False
            )
            traced.append(graph)
        return traced[0](iterator, first, batches)

    return call
