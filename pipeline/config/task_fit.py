"""Whether the sections fit the task of the data: what each one alone cannot know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.config.applications import check_application
from pipeline.config.distill import check_student, deployed_model
from pipeline.config.distillation import check_distillation
from pipeline.config.dropout import check_dropout_factor
from pipeline.config.mixing import check_fine_tuning
from pipeline.config.model import check_model_fits_task, check_normalization_converts
from pipeline.config.text_models import check_text_model
from pipeline.tasks.task import TASKS, metric_directions

if TYPE_CHECKING:
    from pipeline.config.mixed_precision import MixedPrecision
    from pipeline.config.model import ModelConfig
    from pipeline.config.quantize import QuantizeConfig
    from pipeline.config.schema import Config
    from pipeline.config.train import FineTuneConfig


def check_task_fit(config: Config) -> None:
    """Refuses, before anything is read, what the task has no use for or no figure of.

    Args:
        config: the whole configuration.

    Raises:
        ValueError: the first fault, its field first.
    """
    check_model_fits_task(config.model, config.data.task)
    if "quantize" in config.stages:
        check_normalization_converts(deployed_model(config), config.quantize.method)
    check_text_model(config)
    check_application(config)
    check_student(config)
    for section, settings in _fine_tunings(config).items():
        check_fine_tuning(settings, section, config.data.task, config.data.sample_kind)
        field = section if section == "distill" else f"{section}.distillation"
        check_distillation(settings.distillation, field, config.data.task)
        if section.split(".")[0] in config.stages and "tune" not in config.stages:
            check_dropout_factor(settings, section, _tuned_model(section, config))
    _check_figures(config)
    _check_promises(config)


def _fine_tunings(config: Config) -> dict[str, FineTuneConfig]:
    sections: dict[str, FineTuneConfig] = {
        "train": config.train,
        "distill": config.distill.training,
        "narrow": config.narrow,
        "prune": config.prune,
        "cluster": config.cluster,
    }
    if config.quantize.qat is not None:
        sections["quantize.qat"] = config.quantize.qat
    return sections


def _tuned_model(section: str, config: Config) -> ModelConfig:
    """The model that a section fine-tunes: the student behind `distill`."""
    stages = config.stages
    behind = "distill" in stages and stages.index("distill") < stages.index(section.split(".")[0])
    return deployed_model(config) if behind else config.model


def _check_figures(config: Config) -> None:
    """What steers a training must be measured for this task."""
    task = config.data.task
    figures = metric_directions(task)
    asked: dict[str, str] = {}
    for section, stopping in (
        ("train", config.train.early_stopping),
        ("distill", config.distill.early_stopping),
        ("narrow", config.narrow.early_stopping),
    ):
        if stopping is not None:
            asked[f"{section}.early_stopping.monitor"] = stopping.monitor
    schedules = {name: settings.schedule for name, settings in _fine_tunings(config).items()}
    if config.train.transfer is not None:
        schedules["train.transfer"] = config.train.transfer.schedule
    for section, schedule in schedules.items():
        monitor = getattr(schedule, "monitor", None)
        if monitor is not None:
            asked[f"{section}.schedule.monitor"] = monitor
    if "tune" in config.stages and config.tune.objective.startswith("val_"):
        asked["tune.objective"] = config.tune.objective
    for field, figure in asked.items():
        if figure not in figures:
            raise ValueError(
                f"{field}: received {figure}, expected {' or '.join(figures)} for data.task {task}"
            )


def _check_promises(config: Config) -> None:
    """A bound on a figure that the task does not have would never be checked."""
    task, quantize = config.data.task, config.quantize
    accurate = TASKS[task].higher_is_better
    sections: dict[str, QuantizeConfig | MixedPrecision] = {"quantize": quantize}
    if quantize.mixed_precision is not None:
        sections["quantize.mixed_precision"] = quantize.mixed_precision
    for section, bounds in sections.items():
        if bounds.max_accuracy_drop is not None and not accurate:
            raise ValueError(
                f"{section}.max_accuracy_drop: data.task {task} has no accuracy; "
                f"set {section}.max_error_increase"
            )
        if bounds.max_error_increase is not None and accurate:
            raise ValueError(
                f"{section}.max_error_increase: data.task {task} is judged by its accuracy; "
                f"set {section}.max_accuracy_drop"
            )
