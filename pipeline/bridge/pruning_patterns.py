"""Blocks and m of n: which kernels take such a pattern, and tfmot's masks for them.

tfmot 0.8.1 has both, each with a limit that is lifted here, in `pattern_pruning`:
- `block_size` refuses kernels of more than two axes, and fails for one output.
- `sparsity_m_by_n` refuses Conv1D, groups the output channels of a transposed convolution, whose
  inputs are last in a file, and updates masks in step 1 only, whatever the schedule says.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.kernels import prunable_kernels
from pipeline.bridge.start import import_tfmot

if TYPE_CHECKING:
    from pipeline.config.prune import PruneConfig

# Classes whose kernel (…, inputs, outputs) a `.tflite` file stores as (outputs, …, inputs).
MATRIX_CLASSES = ("Conv1D", "Conv2D", "Dense", "SeparableConv1D", "SeparableConv2D")
# Measured, see docs/prune.md.
PATTERN_NOTE = (
    "LiteRT and TFLite Micro compute with zeros in a pattern as with any other numbers: no file "
    "gets faster by it"
)


def as_matrix(kernel: np.ndarray) -> np.ndarray:
    """Returns a kernel of MATRIX_CLASSES as (places · inputs, outputs): rows as the file has them.

    A convolution computes the product of this matrix with the patches of its input.
    """
    return kernel.reshape(-1, kernel.shape[-1])


def reason_against_pattern(layer: Any, config: PruneConfig) -> str | None:
    """Says why a tf_keras layer cannot have the configured pattern, None if it can.

    Args:
        layer: with prunable kernels.
        config: asks for blocks or m of n.
    """
    class_name = type(layer).__name__
    if class_name not in MATRIX_CLASSES:
        return f"a file does not store the kernel of {class_name} as one matrix of its inputs"
    if getattr(layer, "groups", 1) > 1:
        return f"its {layer.groups} groups of channels are no one matrix"
    shapes = [tuple(kernel.shape) for kernel in prunable_kernels(layer).values()]
    for *places, inputs, outputs in shapes:
        if config.sparsity_m_by_n is not None and inputs % config.sparsity_m_by_n[1]:
            n = config.sparsity_m_by_n[1]
            return f"{inputs} inputs are no multiple of the {n} of sparsity_m_by_n"
        if config.block_size is not None:
            height, width = config.block_size
            rows = int(np.prod(places)) * inputs
            if rows % height or outputs % width:
                return f"{rows} × {outputs} weights are no whole blocks of {height} × {width}"
    return None


@functools.cache
def pattern_pruning() -> type[Any]:
    """Returns the class PatternPruning: tfmot's masks, for kernels of any rank, on any schedule."""
    import tensorflow as tf

    import_tfmot()
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl
    from tensorflow_model_optimization.python.core.sparsity.keras.pruning_utils import (
        generate_m_by_n_mask,
    )

    class PatternPruning(pruning_impl.Pruning):
        """Makes masks on the matrix (places · inputs, outputs) of a kernel."""

        def __init__(self, config: PruneConfig, **arguments: Any) -> None:
            super().__init__(block_size=(1, 1), block_pooling_type="AVG", **arguments)
            self.config = config

        def _maybe_update_block_mask(self, weights: Any) -> tuple[Any, Any]:
            matrix = tf.reshape(weights, (-1, weights.shape[-1]))
            if self.config.sparsity_m_by_n is not None:
                # Along the inputs, whose number is a multiple of n: no group spans two places.
                mask = generate_m_by_n_mask(tf.transpose(matrix), self.config.sparsity_m_by_n)
                mask = tf.cast(tf.transpose(mask), weights.dtype)
                return tf.zeros((), weights.dtype), tf.reshape(mask, weights.shape)
            assert self.config.block_size is not None
            threshold, kept = self._update_mask(self._pool(tf.abs(matrix)))
            for axis, times in enumerate(self.config.block_size):
                kept = tf.repeat(kept, times, axis=axis)
            return threshold, tf.reshape(kept, weights.shape)

        def _pool(self, magnitudes: Any) -> Any:
            assert self.config.block_size is not None
            (rows, columns), (height, width) = magnitudes.shape, self.config.block_size
            blocks = tf.reshape(magnitudes, (rows // height, height, columns // width, width))
            if self.config.block_pooling_type == "MAX":
                return tf.reduce_max(blocks, axis=(1, 3))
            return tf.reduce_mean(blocks, axis=(1, 3))

    return PatternPruning
