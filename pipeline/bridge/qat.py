"""Quantization-aware training of a Keras 3 model, by way of tf_keras and tfmot.

The trained model never becomes a Keras file: it leaves as a SavedModel for the converter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.conversion import save_crossed_for_conversion
from pipeline.bridge.crossing import bridge_objects, to_tf_keras
from pipeline.bridge.fit import fine_tune
from pipeline.bridge.graph import walk
from pipeline.bridge.input_order import inputs_in_order
from pipeline.bridge.masks import Mask, check_masked, count_masked, mask_weights, zero_masks
from pipeline.bridge.optimizers_table import check_optimizer_crosses
from pipeline.bridge.predict import evaluate, predict
from pipeline.bridge.proof import PROOF_SAMPLES, CrossingProof, prove_crossing
from pipeline.bridge.qat_joins import leave_joined_scales
from pipeline.bridge.qat_plan import plan_quantization
from pipeline.bridge.qat_proof import SAMPLES, prove_quantized
from pipeline.bridge.qat_ranges import set_ranges
from pipeline.bridge.qat_scheme import preserving_scheme
from pipeline.bridge.qat_statistics import Statistics, choose_statistics
from pipeline.bridge.separable_names import separable_parts_named
from pipeline.bridge.shared_values import (
    SharedValues,
    check_shared,
    find_shared_values,
    share_values,
)
from pipeline.bridge.start import (
    import_tf_keras,
    import_tfmot,
    restart_names,
    without_autograph,
)
from pipeline.bridge.steps import StepHooks
from pipeline.errors import ConfigError, PromiseError
from pipeline.tflite.saved_model import own_names
from pipeline.training.release import release_memory

if TYPE_CHECKING:
    import keras
    import tf_keras

    from pipeline.config.train import FineTuneConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.data.samples import Samples
    from pipeline.progress import Progress

RANGE_SAMPLES = 512
SECTION = "quantize.qat"
ADVICE = "report this model, and use quantize.method: ptq"


@dataclass(frozen=True)
class QatResult:
    """A model trained with quantization in the loop.

    Attributes:
        quantized_layers: names of the layers that were trained so.
        left_to_converter: layer and reason of the others.
        history: one row per epoch; its figures are those of the quantized model.
        best_epoch: from 1; the best by validation accuracy, then loss.
        validation: loss, accuracy, samples of the quantized model.
        zeros: number of kernel weights that were zero and still are.
        crossing: the proof.
        seconds: of fine-tuning, over all starts.
        statistics: of BatchNormalization, that the fine-tuning began with; None without any.
    """

    quantized_layers: list[str]
    left_to_converter: list[dict[str, str]]
    history: list[dict[str, Any]]
    best_epoch: int
    validation: dict[str, Any]
    zeros: int
    crossing: CrossingProof
    seconds: float
    statistics: Statistics | None
    _model: tf_keras.Model = field(repr=False)
    _names: tuple[list[str], list[str]] = field(repr=False)

    def metrics(self) -> dict[str, Any]:
        """Returns what the stage's manifest keeps."""
        return {
            "history": self.history,
            "best_epoch": self.best_epoch,
            "validation": self.validation,
            "quantized_layers": self.quantized_layers,
            "left_to_converter": self.left_to_converter,
            "zeros": self.zeros,
            "crossing": self.crossing.metrics(),
            "seconds": self.seconds,
            "statistics": None if self.statistics is None else self.statistics.metrics(),
        }

    def predict(self, x: Samples) -> np.ndarray:
        """Returns the quantized model's logits, float32 (n, classes)."""
        return predict(self._model, x)

    def save_for_conversion(self, directory: Path, batch_size: int) -> None:
        """Writes a SavedModel with the signature serving_default and the original names.

        Args:
            directory: made by this call, or overwritten.
            batch_size: samples per call, ≥ 1.
        """
        save_crossed_for_conversion(self._model, directory, batch_size, self._names)


def quantization_aware_train(
    model: keras.Model,
    data: PreparedData,
    config: FineTuneConfig,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
    clustered: Sequence[tuple[str, str]] = (),
    teacher: keras.Model | None = None,
) -> QatResult:
    """Fine-tunes a model with 8-bit quantization emulated; zeros and shared values stay so.

    Args:
        model: Keras 3, one input, logits out; it is not changed.
        data: with the train and validation splits.
        config: the fine-tuning.
        seed: of the order of samples and of dropout.
        work: folder for checkpoints; a killed run goes on from there, bit for bit.
        output: folder for history.csv and schedule.csv.
        progress: told each epoch.
        clustered: layer and tensor of each kernel whose weights share their values.
        teacher: whose outputs config.distillation asks for; else None.

    Returns:
        The trained model and what was checked.

    Raises:
        ConfigError: a layer cannot cross, or none can be quantized in training.
        TrainingError: a loss that is not finite.
        PromiseError: the crossing is not proved, or a zero or cluster was lost.
    """
    check_optimizer_crosses(config.optimizer, SECTION)
    restart_names()
    plain = to_tf_keras(model, seed)
    proof = prove_crossing(model, plain, data.train.x[:PROOF_SAMPLES])
    chosen, left = plan_quantization(plain, walk(model))
    if not chosen:
        raise ConfigError(
            f"{SECTION}: no layer of '{model.name}' can be trained with quantization; "
            "use quantize.method: ptq"
        )
    quantized = _quantize(plain, frozenset(chosen))
    prove_quantized(plain, quantized, data.train.x[:SAMPLES])
    masks = zero_masks(quantized)
    zeros = _check_zeros_arrived(model, plain, masks)
    clusters = _find_clusters(plain, quantized, clustered)
    # Of large models the training needs the memory; tfmot left copies too.
    del plain
    release_memory()
    order = np.random.default_rng([seed, 0]).permutation(len(data.train))
    samples = data.train.x[np.sort(order[:RANGE_SAMPLES])]
    set_ranges(quantized, samples)
    statistics = choose_statistics(
        quantized, samples, lambda: float(evaluate(quantized, data.validation, data.task)["loss"])
    )
    # tfmot's own scheme only masks what it quantizes, and zeros drift.
    impose_zeros, impose_clusters = mask_weights(masks), share_values(clusters)

    def impose() -> None:
        impose_zeros()
        impose_clusters()

    hooks = StepHooks(after=impose)
    where = (seed, work, output, progress)
    tuned = fine_tune(quantized, data, config, *where, SECTION, hooks, teacher)
    release_memory()  # what comes next is the converter, which needs as much
    check_masked(SECTION, masks, ADVICE)
    check_shared(SECTION, clusters, ADVICE)
    inputs = [tensor._keras_history.operation.name for tensor in model.inputs]
    names = (inputs, own_names(model)[1])
    return QatResult(
        chosen, left, tuned.history, tuned.best_epoch, tuned.validation, zeros, proof,
        tuned.seconds, statistics, quantized, names,
    )  # fmt: skip


@without_autograph
def _quantize(plain: tf_keras.Model, chosen: frozenset[str]) -> tf_keras.Model:
    keras_2, tfmot = import_tf_keras(), import_tfmot()
    quantization = tfmot.quantization.keras

    def annotate(layer: Any) -> Any:
        return quantization.quantize_annotate_layer(layer) if layer.name in chosen else layer

    objects = keras_2.utils.custom_object_scope(bridge_objects())
    with objects, quantization.quantize_scope(), inputs_in_order(), separable_parts_named():
        annotated = keras_2.models.clone_model(plain, clone_function=annotate)
        quantized = quantization.quantize_apply(annotated, scheme=preserving_scheme())
    leave_joined_scales(quantized)
    return quantized


def _check_zeros_arrived(model: keras.Model, plain: tf_keras.Model, masks: list[Mask]) -> int:
    expected, found = count_masked(zero_masks(plain)), count_masked(masks)
    if found != expected:
        raise PromiseError(
            f"{SECTION}: '{model.name}' has {expected} zero weights, tfmot's copy of it {found}; "
            f"{ADVICE}"
        )
    return found


def _find_clusters(
    plain: tf_keras.Model, quantized: tf_keras.Model, clustered: Sequence[tuple[str, str]]
) -> list[SharedValues]:
    """Finds the clustered kernels in the model that is trained."""
    layers = ((plain.get_layer(name), tensor) for name, tensor in clustered)
    kernels = [getattr(getattr(layer, "cell", layer), name).numpy() for layer, name in layers]
    found = find_shared_values(quantized, kernels)
    if found is None:
        raise PromiseError(
            f"{SECTION}: a clustered kernel of '{plain.name}' is not in tfmot's copy of it; "
            f"{ADVICE}"
        )
    return found
