"""The statistics of BatchNormalization when quantization is emulated: the float network's, or new.

Rounding moves what a layer is given away from the float network's moving means, a little further in
each layer: of the spread of ResNet101's outputs 20 % was left. A long fine-tuning takes the
statistics along, by 1 % per step; a short one ends before. Nagel et al. 2022, "Overcoming
Oscillations in Quantization-Aware Training" (arXiv 2203.11086), estimate them anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tf_keras


@dataclass(frozen=True)
class Statistics:
    """Which statistics the fine-tuning began with.

    Attributes:
        estimated: anew, under emulation; else those of the float network.
        layers: number of BatchNormalization layers that have them.
        loss_of_float: on validation data with the float network's; None if not finite.
        loss_of_estimated: with the new ones; None if not finite.
    """

    estimated: bool
    layers: int
    loss_of_float: float | None
    loss_of_estimated: float | None

    def metrics(self) -> dict[str, Any]:
        """Returns what the stage's manifest keeps."""
        return asdict(self)

    def note(self) -> str:
        """Says what was estimated, and why."""
        losses = [
            "not finite" if loss is None else f"{loss:.4g}"
            for loss in (self.loss_of_float, self.loss_of_estimated)
        ]
        return (
            f"the statistics of {self.layers} BatchNormalization layers were estimated anew in "
            f"8 bits before the training: validation loss {losses[1]} in the place of {losses[0]}"
        )


def choose_statistics(
    model: tf_keras.Model, x: np.ndarray, validation_loss: Callable[[], float]
) -> Statistics | None:
    """Estimates the statistics on samples and keeps them if the validation loss is then lower.

    Args:
        model: after quantize_apply, with its ranges set; nothing else of it is changed.
        x: samples to train on, float32 (n, …), in one batch.
        validation_loss: of the model as it is when called, in inference mode.

    Returns:
        What was chosen; None if no BatchNormalization of the model is trained.
    """
    layers = _normalizations(model)
    if not layers:
        return None
    variables = _statistics(layers)
    before, loss = [variable.numpy() for variable in variables], validation_loss()
    estimate_statistics(model, x)
    estimated_loss = validation_loss()
    better = math.isfinite(estimated_loss) and not loss <= estimated_loss
    if not better:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
    return Statistics(better, len(layers), _finite(loss), _finite(estimated_loss))


def estimate_statistics(model: tf_keras.Model, x: np.ndarray) -> None:
    """Sets the moving statistics to those of a batch; all other variables stay.

    One pass in training mode is enough: there each layer reads what the layers before it make of
    the batch with the batch's own statistics.

    Args:
        model: of tf_keras; BatchNormalization that is frozen keeps its statistics.
        x: samples, float32 (n, …).
    """
    from pipeline.bridge.state import random_states

    layers = _normalizations(model)
    statistics = {id(variable) for variable in _statistics(layers)}
    others = [*model.non_trainable_variables, *random_states(model)]
    saved = [(other, other.numpy()) for other in others if id(other) not in statistics]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        model(x, training=True)
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
        for variable, value in saved:
            variable.assign(value)


def _normalizations(model: tf_keras.Model) -> list[Any]:
    from pipeline.bridge.start import import_tf_keras

    kind = import_tf_keras().layers.BatchNormalization
    found = [layer for layer in model._flatten_layers() if isinstance(layer, kind)]
    return [layer for layer in found if layer.trainable]


def _statistics(layers: list[Any]) -> list[Any]:
    return [variable for x in layers for variable in (x.moving_mean, x.moving_variance)]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
