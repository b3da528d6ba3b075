"""tfmot's wrapper around a layer that is pruned, with masks handed on.

PruneLowMagnitude drops the mask that its layer makes or hands on, and gives one to layers that
take none (tfmot 0.8.1): behind a pruned Embedding attention would look at padding.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pipeline.bridge.kernels import prunable_kernels
from pipeline.bridge.pruning_patterns import pattern_pruning

if TYPE_CHECKING:
    from pipeline.config.prune import PruneConfig


@functools.cache
def pruning_wrapper() -> type[Any]:
    """Returns the class PruneLowMagnitude.

    It is made of a tf_keras layer, a schedule, and the configuration of a pattern if there is one.
    """
    from pipeline.bridge.start import import_tfmot

    import_tfmot()
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_wrapper as tfmot

    class PruneLowMagnitude(tfmot.PruneLowMagnitude):
        """The wrapper, which treats masks as its layer does."""

        def __init__(
            self, layer: Any, pattern: PruneConfig | None = None, **arguments: Any
        ) -> None:
            # tfmot's registry knows neither Bidirectional nor layers that run as themselves.
            layer.get_prunable_weights = lambda: list(prunable_kernels(layer).values())
            super().__init__(layer, **arguments)
            self.supports_masking = layer.supports_masking
            self.pattern = pattern

        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            if self.pattern is not None:
                self.pruning_obj = pattern_pruning()(
                    self.pattern,
                    training_step_fn=lambda: self.pruning_step,
                    pruning_vars=self.pruning_vars,
                    pruning_schedule=self.pruning_schedule,
                )

        def call(self, inputs: Any, training: bool = False, **arguments: Any) -> Any:
            if not self.layer._expects_mask_arg:
                arguments.pop("mask", None)
            return super().call(inputs, training=training, **arguments)

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return self.layer.compute_mask(inputs, mask)

    return PruneLowMagnitude
