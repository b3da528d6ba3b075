"""Layers whose features a later stage learns: are they there? Asked before any training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.bridge.graph import walk
from pipeline.training.feature_layers import pair_layers
from pipeline.training.learner import feature_field

if TYPE_CHECKING:
    import keras

    from pipeline.config.distillation import Distillation
    from pipeline.config.schema import Config

# Their students come over the bridge, which takes nested models apart.
CROSSING = frozenset({"prune", "cluster", "quantize"})


def check_feature_layers(
    teacher: keras.Model, config: Config, student: keras.Model | None = None
) -> None:
    """Refuses a name or pattern of distillation.features that fits no layer.

    Args:
        teacher: the float model of the chain, trained or not.
        config: of the run, or of what is still to be done.
        student: what the stages work on; None: the teacher itself, and behind `distill` a model
            that is not known yet, of which any name may be a layer.

    Raises:
        ConfigError: one line, with the nearest name that there is.
    """
    theirs = [layer.name for layer in teacher.layers]
    place = config.stages.index("distill") if "distill" in config.stages else len(config.stages)
    for number, stage in enumerate(config.stages):
        section, distillation = _taught(stage, config)
        if distillation is None or distillation.features is None:
            continue
        asked = distillation.features.layers
        known = student is not None or number < place
        if known:
            model = teacher if student is None else student
            crossed = list(walk(model).layers()) if stage in CROSSING else []
            ours = crossed or [layer.name for layer in model.layers]
        else:
            ours = list(asked) if isinstance(asked, dict) else theirs
        pair_layers(asked, ours, theirs, feature_field(section))


def _taught(stage: str, config: Config) -> tuple[str, Distillation | None]:
    """Returns the section of a stage's training, and what it asks of a teacher."""
    match stage:
        case "train" | "narrow" | "prune" | "cluster":
            return stage, getattr(config, stage).distillation
        case "distill":
            return stage, config.distill
        case "quantize" if config.quantize.method != "ptq":
            return "quantize.qat", config.quantize.fine_tuning.distillation
    return stage, None
