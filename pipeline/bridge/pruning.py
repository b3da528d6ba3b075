"""Magnitude pruning with fine-tuning: tfmot on a Keras 3 model, by way of tf_keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.measurements import Measurements
from pipeline.bridge.crossing import copy_weights_back, to_tf_keras
from pipeline.bridge.fit import fine_tune
from pipeline.bridge.kernels import WITHOUT_KERNEL
from pipeline.bridge.optimizers_table import check_optimizer_crosses
from pipeline.bridge.proof import PROOF_SAMPLES, CrossingProof, prove_crossing
from pipeline.bridge.pruning_count import check_total, count_zeros
from pipeline.bridge.pruning_plan import PruningPlan, plan_pruning
from pipeline.bridge.pruning_schedule import Sparsities, Timing, resolve_timing, schedule_class
from pipeline.bridge.pruning_wrapper import pruning_wrapper
from pipeline.bridge.start import import_tf_keras, without_autograph
from pipeline.bridge.steps import StepHooks
from pipeline.training.sensitivity import SENSITIVITY_FILE

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
        layers: per pruned tensor what `count_zeros` says.
        plan: which layers were pruned, and how far.
        config: of the stage.
        history: one row per epoch.
        best_epoch: from 1; the best by validation among the epochs at the final sparsity.
        validation: loss, accuracy, samples.
        crossing: the proof.
        seconds: of fine-tuning, over all starts.
    """

    model: keras.Model
    layers: list[dict[str, Any]]
    plan: PruningPlan
    config: PruneConfig
    history: list[dict[str, Any]]
    best_epoch: int
    validation: dict[str, Any]
    crossing: CrossingProof
    seconds: float

    @property
    def skipped(self) -> list[dict[str, str]]:
        """Layer, class and reason, for each layer with weights that was left dense."""
        return self.plan.skipped

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
            "distribution": self._distribution(),
            "block_size": self.config.block_size,
            "sparsity_m_by_n": self.config.sparsity_m_by_n,
            "layers": self.layers,
            "skipped": self.skipped,
            "history": self.history,
            "best_epoch": self.best_epoch,
            "validation": self.validation,
            "crossing": self.crossing.metrics(),
            "seconds": self.seconds,
        }

    def _distribution(self) -> dict[str, Any]:
        return {
            "kind": self.config.spread,
            "zeros": self.plan.zeros,
            "curves": [
                {"layer": name, "points": [list(point) for point in curve]}
                for name, curve in self.plan.curves.items()
            ],
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
        work: folder for checkpoints and what is measured; a killed run goes on from there, bit
            for bit.
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
    known = Measurements(work / SENSITIVITY_FILE)
    plan = plan_pruning(plain, config, data, seed, known, progress)
    wrapped, hooks = _wrap(plain, plan.targets, timing, config, data)
    where = (seed, work, output, progress)
    tuned = fine_tune(wrapped, data, config, *where, "prune", hooks, teacher)
    # The wrappers share their variables with the plain model: stripping is reading it.
    layers = count_zeros(plain, plan.targets, config)
    if plan.zeros is not None:
        check_total(layers, plan.zeros, config)
    copy_weights_back(plain, model)
    return PruneResult(
        model, layers, plan, config, tuned.history, tuned.best_epoch, tuned.validation, proof,
        tuned.seconds,
    )  # fmt: skip


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
    pattern = config if config.has_pattern else None

    def wrap(layer: Any) -> Any:
        if layer.name not in targets:
            return layer
        schedule = schedule_class()(targets[layer.name], timing, step)
        return wrapper(layer, pattern, pruning_schedule=schedule)

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
