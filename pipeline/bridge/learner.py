"""The learner of a training in tf_keras, whose layers tfmot may have wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.bridge.start import import_tf_keras, without_autograph
from pipeline.training.learner import Learner, make_learner

if TYPE_CHECKING:
    import keras
    import tf_keras

    from pipeline.config.distillation import Distillation

# Classes of tfmot 0.8.1 around a single layer. Bidirectional and TimeDistributed have an inner
# layer too, and are known by their own name.
WRAPPERS = frozenset({"PruneLowMagnitude", "ClusterWeights", "QuantizeWrapper"})


@without_autograph
def make_crossed_learner(
    model: tf_keras.Model,
    teacher: keras.Model | None,
    distillation: Distillation | None,
    seed: int,
    section: str,
) -> tuple[Learner, Any]:
    """Makes a learner and its teacher as `training.learner.make_learner` does.

    Args:
        model: what `to_tf_keras` made, or tfmot of that.
        teacher: of Keras 3; None without distillation.
        distillation: None without a teacher.
        seed: of what is learned beside the model.
        section: path of the configuration's section, for errors.
    """
    layers = layers_by_name(model)
    return make_learner(import_tf_keras(), model, layers, teacher, distillation, seed, section)


def layers_by_name(model: tf_keras.Model) -> dict[str, Any]:
    """Returns name before tfmot → layer or its wrapper, in the model's order."""
    return {_own_name(layer): layer for layer in model.layers}


def _own_name(layer: Any) -> str:
    classes = {base.__name__ for base in type(layer).__mro__}
    return str(layer.layer.name if classes & WRAPPERS else layer.name)
