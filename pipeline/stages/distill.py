"""distill: a smaller network learns from the model before it, and takes its place in the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.config.families import is_application
from pipeline.config.load import as_plain_data
from pipeline.config.model_file import MAKES_MODEL
from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_input_model, load_splits

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import PreparedData
    from pipeline.data.preprocessing import Affine
    from pipeline.training.fit import FitResult

# Pixels from 0 to 255 → -1 to 1.
OF_PIXELS = (1 / 127.5, -1.0)


def check(config: Config) -> None:
    """Refuses, when planned, a stage behind it that would put another model in its place."""
    stages = config.stages
    behind = stages[stages.index("distill") + 1 :] if "distill" in stages else ()
    for stage in behind:
        if stage in MAKES_MODEL:
            raise ConfigError(
                f"stages: {stage} after distill would train the model of the section model, and "
                f"not the student; put distill after {stage}"
            )


def run(config: Config, context: Context) -> StageResult:
    """Trains the student beside its teacher; a killed training goes on at its last epoch."""
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model
    from pipeline.models.student import build_student
    from pipeline.preflight.features import check_feature_layers
    from pipeline.preflight.refuse import refuse_impossible
    from pipeline.training.fit import fit

    settings = config.distill
    assert settings.student is not None  # check_student has seen to it
    data = load_splits(config, context, "train", "validation")
    teacher = load_input_model(context)
    student = build_student(settings.student, data, _preprocessing(config, data))
    refuse_impossible(student, _behind(config))
    check_feature_layers(teacher, _behind(config), student)
    where = (context.seed, context.work, context.output, context.progress)
    result = fit(student, data, settings.training, *where, label="distill", teacher=teacher)
    save_model(student, context.output / MODEL_FILE)
    metrics = _metrics(config, result, student, teacher, data)
    return StageResult(metrics, model_digest(student), (_compare(metrics, data.task.metric),))


def _preprocessing(config: Config, data: PreparedData) -> Affine | None:
    """Returns what the student does to its input first.

    A teacher of keras.applications has its own preprocessing inside and takes pixels from 0 to
    255; a student of another kind would learn badly from numbers that large.
    """
    from pipeline.data.preprocessing import Affine

    assert config.distill.student is not None
    own = data.model_preprocessing
    architectures = (config.model.architecture, config.distill.student.architecture)
    if [is_application(name) for name in architectures] != [True, False]:
        return own
    return (Affine(1.0, 0.0) if own is None else own).followed_by(*OF_PIXELS)


def _behind(config: Config) -> Config:
    """Returns the configuration of what is still to be done, all of it to the student."""
    stages = config.stages
    return config.model_copy(update={"stages": stages[stages.index("distill") + 1 :]})


def _metrics(
    config: Config,
    result: FitResult,
    student: keras.Model,
    teacher: keras.Model,
    data: PreparedData,
) -> dict[str, Any]:
    from pipeline.training.evaluate import evaluate_model

    return {
        "student": as_plain_data(config.distill)["student"],
        "temperature": config.distill.temperature,
        "alpha": config.distill.alpha,
        "features": as_plain_data(config.distill)["features"],
        "epochs_run": result.epochs_run,
        "best_epoch": result.best_epoch,
        "optimizer": config.distill.optimizer.name,
        "parameters": student.count_params(),
        "train": result.train,
        "validation": result.validation,
        "history": result.history,
        "seconds": result.seconds,
        "teacher": {
            "parameters": teacher.count_params(),
            "validation": evaluate_model(teacher, data.validation, data.task),
        },
    }


def _compare(metrics: dict[str, Any], metric: str) -> str:
    figures = (metrics["validation"][metric], metrics["teacher"]["validation"][metric])
    sizes = (metrics["parameters"], metrics["teacher"]["parameters"])
    return (
        f"the student has {sizes[0]:,} parameters and a validation {metric} of {figures[0]:.4g}; "
        f"the teacher {sizes[1]:,} and {figures[1]:.4g}"
    )
