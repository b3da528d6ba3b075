"""Magnitude pruning with fine-tuning: tfmot on a Keras 3 model, by way of tf_keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.bridge_layer import class_of
from pipeline.bridge.crossing import copy_weights_back, to_tf_keras
from pipeline.bridge.fit import fine_tune
from pipeline.bridge.kernels import WITHOUT_KERNEL, prunable_kernels, reason_without_kernels
from pipeline.bridge.optimizers_table import check_optimizer_crosses
from pipeline.bridge.proof import PROOF_SAMPLES, CrossingProof, prove_crossing
from pipeline.bridge.pruning_schedule import (
    Sparsities,
    Timing,
    layer_sparsities,
    resolve_timing,
    schedule_class,
)
from pipeline.bridge.pruning_wrapper import pruning_wrapper
from pipeline.bridge.start import import_tf_keras, without_autograph
from pipeline.bridge.steps import StepHooks
from pipeline.errors import ConfigError, PromiseError

if TYPE_CHECKING:
    import keras
    import tf_keras

    from pipeline.config.prune import PruneConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress


@dataclass(frozen=True)
class PruneResult:
    """The pruned model and what was checked on it.

    Attributes:
        model: the Keras 3 model that was given, now with the pruned weights.
        layers: per pruned tensor: layer, tensor, shape, parameters, zeros, sparsity, target.
        skipped: layer, class and reason, for each layer with weights that was left dense.
        history: one row per epoch.
        best_epoch: from 1; the best by validation among the epochs at the final sparsity.
        validation: loss, accuracy, samples.
        crossing: the proof.
        seconds: of fine-tuning, over all starts.
    """

    model: keras.Model
    layers: list[dict[str, Any]]
    skipped: list[dict[str, str]]
    history: list[dict[str, Any]]
    best_epoch: int
    validation: dict[str, Any]
    crossing: CrossingProof
    seconds: float

    @property
    def dense_kernels(self) -> list[str]:
        """Names of the layers that have a kernel and kept all of it."""
        return [row["layer"] for row in self.skipped if row["class"] not in WITHOUT_KERNEL]

    def metrics(self) -> dict[str, Any]:
        """Returns what the stage's manifest keeps."""
        zeros = sum(row["zeros"] for row in self.layers)
        pruned = sum(row["parameters"] for row in self.layers)
        return {
            "sparsity": zeros / pruned,
            "overall_sparsity": zeros / self.model.count_params(),
            "layers": self.layers,
            "skipped": self.skipped,
            "history": self.history,
            "best_epoch": self.best_epoch,
            "validation": self.validation,
            "crossing": self.crossing.metrics(),
            "seconds": self.seconds,
        }


def prune(
    model: keras.Model,
    data: PreparedData,
    config: PruneConfig,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
    teacher: keras.Model | None = None,
) -> PruneResult:
    """Prunes a model to the configured sparsity while fine-tuning it.

    Args:
        model: Keras 3, one input, logits out; on return it holds the pruned weights.
        data: with the train and validation splits.
        config: fine-tuning, schedule, overrides per layer.
        seed: of the order of samples and of dropout.
        work: folder for checkpoints; a killed run goes on from there, bit for bit.
        output: folder for history.csv and schedule.csv.
        progress: told each epoch.
        teacher: whose outputs config.distillation asks for; else None.

    Returns:
        The result; its figures are counted on the Keras 3 model.

    Raises:
        ConfigError: a layer cannot cross, or the configuration does not fit the model.
        TrainingError: a loss that is not finite.
        PromiseError: the crossing is not proved, or a kernel has fewer zeros than promised.
    """
    check_optimizer_crosses(config.optimizer, "prune")
    timing = resolve_timing(config, config.updates_per_epoch(len(data.train)))
    plain = to_tf_keras(model, seed)
    proof = prove_crossing(model, plain, data.train.x[:PROOF_SAMPLES])
    targets, skipped = choose_layers(plain, config)
    wrapped, hooks = _wrap(plain, targets, timing, config, data)
    where = (seed, work, output, progress)
    tuned = fine_tune(wrapped, data, config, *where, "prune", hooks, teacher)
    # The wrappers share their variables with the plain model: stripping is reading it.
    layers = count_zeros(plain, targets)
    copy_weights_back(plain, model)
    return PruneResult(
        model, layers, skipped, tuned.history, tuned.best_epoch, tuned.validation, proof,
        tuned.seconds,
    )  # fmt: skip


def choose_layers(
    plain: tf_keras.Model, config: PruneConfig
) -> tuple[dict[str, Sparsities], list[dict[str, str]]]:
    """Decides for each layer with weights whether it is pruned, and how far.

    Returns:
        Name → sparsities of the pruned layers; layer and reason of the others.

    Raises:
        ConfigError: no layer is left to prune, or a pattern fits none.
    """
    weighted = {layer.name: class_of(layer) for layer in plain.layers if layer.weights}
    chosen: dict[str, Sparsities] = {}
    skipped: list[dict[str, str]] = []
    for name, sparsities in layer_sparsities(config, weighted).items():
        layer = plain.get_layer(name)
        if not prunable_kernels(layer):
            reason = reason_without_kernels(layer)
        elif sparsities is None:
            reason = "skip: true in prune.layers"
        else:
            chosen[name] = sparsities
            continue
        skipped.append({"layer": name, "class": weighted[name], "reason": reason})
    if not chosen:
        reasons = "; ".join(f"{entry['layer']}: {entry['reason']}" for entry in skipped)
        raise ConfigError(
            f"prune: no layer of '{plain.name}' can be pruned ({reasons or 'no weights'}); "
            "remove prune from stages"
        )
    return chosen, skipped


@without_autograph
def _wrap(
    plain: tf_keras.Model,
    targets: dict[str, Sparsities],
    timing: Timing,
    config: PruneConfig,
    data: PreparedData,
) -> tuple[tf_keras.Model, StepHooks]:
    """Wraps the chosen layers one by one: tfmot refuses whole models for one unknown layer."""
    import tensorflow as tf

    keras_2, wrapper = import_tf_keras(), pruning_wrapper()
    step = tf.Variable(0, dtype=tf.int64, trainable=False, name="fine_tuning_step")

    def wrap(layer: Any) -> Any:
        if layer.name not in targets:
            return layer
        schedule = schedule_class()(targets[layer.name], timing, step)
        return wrapper(layer, pruning_schedule=schedule)

    wrapped = keras_2.models.clone_model(plain, clone_function=wrap)
    wrappers = [layer for layer in wrapped.layers if hasattr(layer, "pruning_vars")]
    for layer in wrappers:
        layer.pruning_step.assign(0)

    def apply_masks() -> None:
        for layer in wrappers:
            layer.pruning_obj.weight_mask_op()

    masks = [mask for layer in wrappers for _, mask, _ in layer.pruning_vars]
    weights = float(sum(mask.shape.num_elements() for mask in masks))

    def masked(number: tf.Tensor) -> tf.Tensor:
        # What the masks hold, not what the formula asks: they change every `frequency` steps.
        return 1.0 - tf.add_n([tf.reduce_sum(mask) for mask in masks]) / weights

    updates = config.updates_per_epoch(len(data.train))
    hooks = StepHooks(
        before=lambda number: step.assign(number + 1),
        epoch_end=apply_masks,
        target_sparsity=masked,
        first_candidate=(timing.reached - 1) // updates,
    )
    return wrapped, hooks


def count_zeros(plain: tf_keras.Model, targets: dict[str, Sparsities]) -> list[dict[str, Any]]:
    """Counts the zeros of each pruned tensor and checks them against the target.

    Returns:
        Per tensor: layer, tensor, shape, parameters, zeros, sparsity, target.

    Raises:
        PromiseError: a tensor has fewer zeros than floor(target · parameters) - ties.
    """
    rows = []
    for name, sparsities in targets.items():
        layer = plain.get_layer(name)
        for tensor, variable in prunable_kernels(layer).items():
            rows.append(_count_tensor(name, tensor, variable.numpy(), sparsities))
    return rows


def _count_tensor(
    name: str, tensor: str, values: np.ndarray, sparsities: Sparsities
) -> dict[str, Any]:
    zeros, parameters = int(np.sum(values == 0)), values.size
    # tfmot keeps every weight as large as its threshold, so equal magnitudes stay together;
    # its count is taken in float32, which is exact to about one in 2^23.
    kept = np.abs(values[values != 0])
    ties = int(np.sum(kept == kept.min())) - 1 if kept.size else 0
    promised = int(np.floor(sparsities.final * parameters)) - ties - parameters // 2**22
    if zeros < promised:
        raise PromiseError(
            f"prune: '{name}' {tensor} has {zeros} zeros of {parameters} weights, expected at "
            f"least {promised} (final_sparsity {sparsities.final}); report this model"
        )
    return {
        "layer": name,
        "tensor": tensor,
        "shape": list(values.shape),
        "parameters": parameters,
        "zeros": zeros,
        "sparsity": zeros / parameters,
        "target": sparsities.final,
    }
