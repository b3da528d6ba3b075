"""The model of a training step: what it answers, what it shows inside, what it learns from.

The same for both Kerases, so that the Keras 3 loop and the tf_keras loop minimize the same thing.
keras.distillation (3.15.1) is not used: it trains by `fit`, takes no tf_keras model, and its
FeatureDistillation has nothing for layers of different widths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError
from pipeline.tasks.feature_losses import feature_losses
from pipeline.tasks.losses import distilled_losses
from pipeline.training.feature_layers import pair_layers

if TYPE_CHECKING:
    from types import ModuleType

    import keras
    import tensorflow as tf

    from pipeline.config.distillation import Distillation
    from pipeline.tasks.task import Task


@dataclass(frozen=True)
class Learner:
    """A model in training.

    Attributes:
        model: x → outputs (batch, …), of Keras 3 or tf_keras.
        distillation: how a teacher enters the loss; None: there is none.
        inside: the same layers in the same graph, x → [outputs, feature, …], each feature carried
            to the shape of the teacher's; None where no features are asked for.
        projections: weights that carry features there. They are trained with the model's, and
            are no part of it.
    """

    model: Any
    distillation: Distillation | None = None
    inside: Any = None
    projections: tuple[Any, ...] = ()

    @property
    def weights(self) -> list[Any]:
        """All that gradients are taken of: the model's first."""
        return [*self.model.trainable_variables, *self.projections]

    def __call__(self, x: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Runs a batch in training mode; returns the outputs and the features."""
        if self.inside is None:
            return self.model(x, training=True), []
        outputs, *features = self.inside(x, training=True)
        return outputs, features

    def learned(
        self,
        task: Task,
        outputs: tf.Tensor,
        features: list[tf.Tensor],
        sample_losses: tf.Tensor,
        taught: list[tf.Tensor],
    ) -> tf.Tensor:
        """Computes what each sample adds to what is minimized, but for its weight.

        (1 - α) · loss + α · (the teacher's answers) + weight · mean over pairs of the distance.

        Args:
            task: what the model is asked to do.
            outputs, features: what the call returned.
            sample_losses: float32 (batch,), by the answers of the data.
            taught: the teacher's outputs and features.

        Returns:
            float32 (batch,).
        """
        import tensorflow as tf

        if self.distillation is None:
            return sample_losses
        learned = distilled_losses(
            task, outputs, sample_losses, taught[0], self.distillation.temperature,
            self.distillation.alpha,
        )  # fmt: skip
        wanted = self.distillation.features
        if wanted is None:
            return learned
        distances = [
            feature_losses(wanted.loss, ours, theirs)
            for ours, theirs in zip(features, taught[1:], strict=True)
        ]
        return learned + wanted.weight * tf.add_n(distances) / len(distances)


def make_learner(
    library: ModuleType,
    model: Any,
    layers: Mapping[str, Any],
    teacher: keras.Model | None,
    distillation: Distillation | None,
    seed: int,
    section: str,
) -> tuple[Learner, Any]:
    """Makes the learner of a training, and the teacher as it has to be asked.

    Args:
        library: keras or tf_keras, of which the model is.
        model: one output.
        layers: of the model, by the names that the user knows them by.
        teacher: of Keras 3, of the same task; None without distillation.
        distillation: None without a teacher.
        seed: of the projections' weights.
        section: path of the configuration's section, for errors.

    Returns:
        The learner; a model x → outputs, or [outputs, feature, …] if there are features.

    Raises:
        ConfigError: a layer is not there, has no single output of numbers, or one that cannot be
            brought to the shape of the teacher's.
    """
    import keras

    wanted = None if distillation is None else distillation.features
    if teacher is None or distillation is None or wanted is None:
        return Learner(model, distillation), teacher
    field = feature_field(section)
    pairs = pair_layers(
        wanted.layers, list(layers), [layer.name for layer in teacher.layers], field
    )
    features, projections = [], []
    shown = []
    for number, (ours, theirs) in enumerate(pairs):
        there = _output(teacher, teacher.get_layer(theirs), f"the teacher's '{theirs}'", field)
        here = _output(model, layers[ours], f"'{ours}'", field)
        shown.append(there)
        if tuple(here.shape) != tuple(there.shape):
            _check_widths(ours, here, theirs, there, field)
            projection = _projection(library, there.shape[-1], seed, number)
            here = projection(here)
            projections += projection.trainable_variables
        features.append(here)
    inside = _extended(library, model, features, "learner")
    asked = _extended(keras, teacher, shown, "teacher")
    return Learner(model, distillation, inside, tuple(projections)), asked


def feature_field(section: str) -> str:
    """Returns the path of the features' layers in a section of the configuration."""
    own = section if section == "distill" else f"{section}.distillation"
    return f"{own}.features.layers"


def _output(model: Any, layer: Any, name: str, field: str) -> Any:
    """Returns the symbolic output of a layer's only call in a model of either Keras."""
    graph = getattr(model, "_functional", None)
    graph = model if graph is None else graph  # a Sequential model of Keras 3 keeps it there
    calls = [
        node
        for nodes in graph._nodes_by_depth.values()
        for node in nodes
        if getattr(node, "operation", getattr(node, "layer", None)) is layer
    ]
    if len(calls) != 1:
        raise ConfigError(f"{field}: {name} is called {len(calls)} times, expected a layer that is "
                          "called once")  # fmt: skip
    node = calls[0]
    outputs = node.output_tensors if hasattr(node, "output_tensors") else node.outputs
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    if len(outputs) != 1 or "float" not in str(getattr(outputs[0], "dtype", "")):
        raise ConfigError(f"{field}: {name} ({type(layer).__name__}) has no single output of "
                          "numbers; name another layer")  # fmt: skip
    return outputs[0]


def _check_widths(ours: str, here: Any, theirs: str, there: Any, field: str) -> None:
    """Refuses shapes that differ in more than the number of channels."""
    shapes = [tuple(tensor.shape[1:]) for tensor in (here, there)]
    if len(shapes[0]) != len(shapes[1]) or shapes[0][:-1] != shapes[1][:-1]:
        told = ["×".join(str(size) for size in shape) for shape in shapes]
        raise ConfigError(
            f"{field}: '{ours}' gives {told[0]}, and the teacher's '{theirs}' {told[1]}; only the "
            "last number, the channels, may differ: name layers with the same height and width"
        )


def _projection(library: ModuleType, channels: int, seed: int, number: int) -> Any:
    """A dense layer over the channels, which is a 1×1 convolution where there are places."""
    initializer = library.initializers.GlorotUniform(seed=seed + number)
    return library.layers.Dense(
        channels, kernel_initializer=initializer, dtype="float32", name=f"projection_{number}"
    )


def _extended(library: Any, model: Any, features: list[Any], name: str) -> Any:
    """Returns a model x → [outputs, feature, …] of the same layers."""
    (source,) = model.inputs  # a list of one would be warned of whenever x is no list
    return library.Model(source, [*model.outputs, *features], name=name)
