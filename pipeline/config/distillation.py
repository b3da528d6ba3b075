"""`distillation` of any fine-tuning: a loss that also asks for a teacher's answers and features."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.config.base import Section

TEMPERATURE = 2.0
WITH_TEMPERATURE = ("classification", "binary", "multi_label")
FeatureLoss = Literal["mse", "cosine"]


def _check_layers(value: Any) -> Any:
    names = list(value.items()) if isinstance(value, dict) else [(name,) for name in value or ()]
    if (
        not isinstance(value, dict | list | tuple)
        or not names
        or not all(isinstance(name, str) and name for pair in names for name in pair)
    ):
        raise ValueError(
            f"received {value!r}, expected names of layers that both models have, [conv_1, "
            '"block_*"], or of pairs, {student_layer: teacher_layer}'
        )
    return value if isinstance(value, dict) else tuple(value)


FeatureLayers = Annotated[
    tuple[str, ...] | dict[str, str],
    # Before the union has its say: pydantic would list the faults of each of its members.
    BeforeValidator(_check_layers),
]


class FeatureDistillation(Section):
    """weight · distance of the outputs of inner layers (FitNets: Romero et al. 2015)."""

    layers: FeatureLayers = Field(
        description="names or patterns of layers that both have, or student layer → teacher layer"
    )
    weight: float = Field(1.0, gt=0, le=1e6, description="factor of this part of the loss")
    loss: FeatureLoss = Field(
        "mse",
        description="mse: mean squared difference; cosine: 1 - cosine over the channels, which "
        "leaves their size alone",
    )


class Distillation(Section):
    """(1 - α) · loss + α · T² · KL(teacher / T ‖ model / T) (Hinton et al. 2015)."""

    temperature: float = Field(
        TEMPERATURE,
        gt=0,
        le=1000,
        description="T by which both logits are divided; large: small differences count too",
    )
    alpha: float = Field(
        0.5,
        ge=0,
        le=1,
        description="α, the teacher's answers' part of the loss; 1: no answers of the data, 0: "
        "none of the teacher's, its features alone",
    )
    features: FeatureDistillation | None = Field(
        None, description="learn from the teacher's inner layers too; null: from its answers alone"
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Distillation:
        if self.alpha == 0 and self.features is None:
            raise ValueError(
                "alpha: received 0, which asks the teacher for nothing; expected more, or features"
            )
        return self


def check_distillation(config: Distillation | None, field: str, task: str) -> None:
    """Refuses, when planned, a temperature for answers that are no probabilities.

    Args:
        config: None where no teacher is asked for.
        field: its path, e.g. "prune.distillation".
        task: data.task.

    Raises:
        ValueError: naming the field, what was received, and what to do.
    """
    if config is None or task in WITH_TEMPERATURE or config.temperature == TEMPERATURE:
        return
    raise ValueError(
        f"{field}.temperature: received {config.temperature}, and data.task {task} has no "
        "probabilities that it could soften; leave it out: the squared difference to the teacher "
        "is taken"
    )
