"""`dropout_factor` of a fine-tuning: whether there is anything that it could act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.families import is_application

if TYPE_CHECKING:
    from pipeline.config.model import ModelConfig
    from pipeline.config.train import FineTuneConfig

RATES = ("dropout", "spatial_dropout", "recurrent_dropout")


def check_dropout_factor(settings: FineTuneConfig, section: str, model: ModelConfig) -> None:
    """Refuses a factor on the rates of an architecture that drops nothing.

    What a file or keras.applications has inside is not known before it is read.

    Args:
        settings: of a fine-tuning.
        section: its path in the configuration, for the error.
        model: that is fine-tuned.

    Raises:
        ValueError: the field first.
    """
    name = model.architecture
    if settings.dropout_factor == 1 or name == "file" or is_application(name):
        return
    if not any(getattr(model, rate, 0) for rate in RATES):
        raise ValueError(
            f"{section}.dropout_factor: received {settings.dropout_factor:g}, but the model "
            f"({name}) drops nothing; set model.dropout, or leave the factor out"
        )
