"""`distillation` of any fine-tuning: a loss that also asks for the teacher's answers."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.base import Section

TEMPERATURE = 2.0
WITH_TEMPERATURE = ("classification", "binary", "multi_label")


class Distillation(Section):
    """(1 - α) · loss + α · T² · KL(teacher / T ‖ model / T) (Hinton et al. 2015)."""

    temperature: float = Field(
        TEMPERATURE,
        gt=0,
        le=1000,
        description="T by which both logits are divided; large: small differences count too",
    )
    alpha: float = Field(
        0.5, gt=0, le=1, description="α, the teacher's part of the loss; 1: no answers of the data"
    )


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
