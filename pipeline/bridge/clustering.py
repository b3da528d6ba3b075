"""Weight clustering with fine-tuning: tfmot on a Keras 3 model, by way of tf_keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.bridge.centroids import strip_layer, wrap_layer
from pipeline.bridge.clustering_plan import (
    SECTION,
    choose_layers,
    clustered_tensors,
)
from pipeline.bridge.crossing import copy_weights_back, to_tf_keras, weight_pairs
from pipeline.bridge.fit import fine_tune
from pipeline.bridge.graph import walk
from pipeline.bridge.kernels import WITHOUT_KERNEL
from pipeline.bridge.masks import Mask, check_masked, count_masked, mask_weights, zero_masks
from pipeline.bridge.optimizers_table import check_optimizer_crosses
from pipeline.bridge.proof import PROOF_SAMPLES, CrossingProof, prove_crossing
from pipeline.bridge.start import import_tf_keras, without_autograph
from pipeline.bridge.steps import StepHooks
from pipeline.compression.sparsity import measure_tensor
from pipeline.errors import PromiseError

if TYPE_CHECKING:
    import keras
    import tf_keras

    from pipeline.config.cluster import ClusterConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress


@dataclass(frozen=True)
class ClusterResult:
    """The clustered model and what was checked on it.

    Attributes:
        model: the Keras 3 model that was given, now with the clustered weights.
        layers: per clustered tensor: layer, tensor, shape, parameters, zeros, distinct,
            number_of_clusters, normalized (whether a BatchNormalization follows).
        skipped: layer, class and reason, for each layer with weights that was left as it was.
        zeros: weights that were zero before and still are; None where they were not kept.
        history: one row per epoch; its figures are those of the clustered model.
        best_epoch: from 1; the best by validation.
        validation: loss, the task's metric, samples.
        crossing: the proof.
        seconds: of fine-tuning, over all starts.
    """

    model: keras.Model
    layers: list[dict[str, Any]]
    skipped: list[dict[str, str]]
    zeros: int | None
    history: list[dict[str, Any]]
    best_epoch: int
    validation: dict[str, Any]
    crossing: CrossingProof
    seconds: float

    @property
    def free_kernels(self) -> list[str]:
        """Names of the layers that have a kernel whose values are not shared."""
        return [row["layer"] for row in self.skipped if row["class"] not in WITHOUT_KERNEL]

    def metrics(self) -> dict[str, Any]:
        """Returns what the stage's manifest keeps."""
        values = {key: value for key, value in vars(self).items() if key != "model"}
        return {**values, "crossing": self.crossing.metrics()}


def cluster(
    model: keras.Model,
    data: PreparedData,
    config: ClusterConfig,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
    teacher: keras.Model | None = None,
) -> ClusterResult:
    """Lets each kernel share few values, and fine-tunes these.

    Args:
        model: Keras 3, one input, logits out; on return it holds the clustered weights.
        data: with the train and validation splits.
        config: fine-tuning, number of clusters, overrides per layer.
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
        PromiseError: the crossing is not proved, a kernel has more values than promised, or a
            zero was lost.
    """
    check_optimizer_crosses(config.optimizer, SECTION)
    plain = to_tf_keras(model, seed)
    proof = prove_crossing(model, plain, data.train.x[:PROOF_SAMPLES])
    targets, skipped = choose_layers(plain, config)
    masks = zero_masks(plain) if config.preserve_sparsity else []
    wrapped, wrappers = _wrap(plain, targets, config)
    # Masks of all kernels: the wrappers keep the zeros of what they cluster, nothing else.
    hooks = StepHooks(after=mask_weights(masks))
    where = (seed, work, output, progress)
    tuned = fine_tune(wrapped, data, config, *where, SECTION, hooks, teacher)
    for wrapper in wrappers:
        strip_layer(wrapper)
    copy_weights_back(plain, model)
    layers = count_clusters(model, plain, targets)
    _check_zeros(model, plain, masks)
    zeros = count_masked(masks) if config.preserve_sparsity else None
    return ClusterResult(
        model, layers, skipped, zeros, tuned.history, tuned.best_epoch, tuned.validation, proof,
        tuned.seconds,
    )  # fmt: skip


@without_autograph
def _wrap(
    plain: tf_keras.Model, targets: dict[str, int], config: ClusterConfig
) -> tuple[tf_keras.Model, list[Any]]:
    """Wraps the chosen layers one by one: tfmot refuses whole models for one unknown layer."""
    wrappers: list[Any] = []

    def wrap(layer: Any) -> Any:
        if layer.name not in targets:
            return layer
        wrapper = wrap_layer(
            layer, targets[layer.name], config.cluster_centroids_init, config.preserve_sparsity
        )
        wrappers.append(wrapper)
        return wrapper

    return import_tf_keras().models.clone_model(plain, clone_function=wrap), wrappers


def count_clusters(
    model: keras.Model, plain: tf_keras.Model, targets: dict[str, int]
) -> list[dict[str, Any]]:
    """Counts the different values of each clustered tensor and checks them.

    Args:
        model: the Keras 3 model, with the clustered weights.
        plain: its tf_keras counterpart.
        targets: name of a layer → number of clusters.

    Returns:
        Per tensor what `ClusterResult.layers` says.

    Raises:
        PromiseError: a tensor has more different values than clusters.
    """
    normalized = _normalized_layers(model)
    here = {id(theirs): ours for ours, theirs in weight_pairs(model, plain)}
    rows = []
    for name, number in targets.items():
        for tensor, variable in clustered_tensors(plain.get_layer(name)):
            values = here[id(variable)].numpy()
            counts = measure_tensor(values)
            if counts.distinct > number:
                raise PromiseError(
                    f"cluster: '{name}' {tensor} has {counts.distinct} different values, promised "
                    f"at most {number} (number_of_clusters); report this model"
                )
            rows.append(
                {
                    "layer": name,
                    "tensor": tensor,
                    "shape": list(values.shape),
                    "number_of_clusters": number,
                    "normalized": name in normalized,
                    **counts.to_json(),
                }
            )
    return rows


def _normalized_layers(model: keras.Model) -> set[str]:
    """Names of the layers that a BatchNormalization reads, which the converter folds into them."""
    graph = walk(model)
    consumers = graph.consumers()
    return {
        call.name
        for call in graph.calls
        for ref in call.outputs
        if any(type(c.layer).__name__ == "BatchNormalization" for c in consumers.get(ref, []))
    }


def _check_zeros(model: keras.Model, plain: tf_keras.Model, masks: list[Mask]) -> None:
    """Looks for the zeros where they ship: in the Keras 3 model."""
    here = {id(theirs): ours for ours, theirs in weight_pairs(model, plain)}
    arrived = [(here[id(variable)], mask) for variable, mask in masks]
    check_masked(SECTION, arrived, "report this model")
