"""What is converted: the model as it was, or trained with quantization in the loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import numpy as np

    from pipeline.config.train import FineTuneConfig
    from pipeline.data.samples import Samples
    from pipeline.quantization.material import Material


@dataclass(frozen=True)
class Source:
    """A model in a form that can be converted and asked.

    Attributes:
        save: writes a SavedModel into a folder, for so many samples per call.
        predict: x → outputs, float32 (n, …).
        metrics: of quantization-aware training; None for the model as it was.
        notes: lines the user should read.
        equalization: what cross-layer equalization did; None where it was not asked for.
    """

    save: Callable[[Path, int], None]
    predict: Callable[[Samples], np.ndarray]
    metrics: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    equalization: dict[str, Any] | None = None


def model_as_it_is(model: keras.Model) -> Source:
    """Returns a Keras 3 model as the source of post-training quantization."""
    from pipeline.bridge.conversion import save_for_conversion
    from pipeline.models.predict import predict_outputs

    return Source(
        save=lambda folder, batch: save_for_conversion(model, folder, batch),
        predict=lambda x: predict_outputs(model, x),
    )


def source_after_training(material: Material, equalized: bool) -> Source:
    """Returns the source of post-training quantization: equalized first, if that is asked for."""
    from pipeline.quantization.equalized import equalize_layers

    return equalize_layers(material) if equalized else model_as_it_is(material.model)


def train_with_quantization(material: Material, fine_tuning: FineTuneConfig) -> Source:
    """Trains the model with quantization in the loop; see `quantization_aware_train`."""
    from pipeline.bridge.qat import quantization_aware_train

    trained = quantization_aware_train(
        material.model,
        material.data,
        fine_tuning,
        material.seed,
        material.work,
        material.output,
        material.progress,
        [(kernel.layer, kernel.tensor) for kernel in material.clustered],
        material.teacher,
    )
    notes = [
        f"{layer['layer']} left to the converter: {layer['reason']}"
        for layer in trained.left_to_converter
    ]
    if trained.statistics is not None and trained.statistics.estimated:
        notes.append(trained.statistics.note())
    return Source(trained.save_for_conversion, trained.predict, trained.metrics(), tuple(notes))
