"""train: from an architecture, or a model that was loaded, to the float model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.config.families import is_application
from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_input_model, load_splits, load_teacher

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import PreparedData
    from pipeline.training.fit import FitResult

PIXEL_SAMPLES = 256


def run(config: Config, context: Context) -> StageResult:
    """Trains `model` as `train` says; a killed training goes on at its last epoch."""
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model
    from pipeline.preflight.features import check_feature_layers
    from pipeline.preflight.refuse import refuse_impossible

    data = load_splits(config, context, "train", "validation")
    model = _begin(config, context, data)
    refuse_impossible(model, config)
    check_feature_layers(model, config)
    result, phases = _train(model, data, config, context)
    save_model(model, context.output / MODEL_FILE)
    return StageResult(
        {
            "epochs_run": result.epochs_run,
            "best_epoch": result.best_epoch,
            "optimizer": config.train.optimizer.name,
            "parameters": model.count_params(),
            "train": result.train,
            "validation": result.validation,
            "history": result.history,
            "seconds": result.seconds,
            "phases": phases,
        },
        model_digest(model),
        _notes(config),
    )


def _begin(config: Config, context: Context, data: PreparedData) -> keras.Model:
    """Returns the model that was loaded, to be fine-tuned, or a fresh one."""
    from pipeline.models.build import build_for

    if context.inputs["model"]:
        return load_input_model(context)
    return build_for(config.model, data)


def _train(
    model: keras.Model, data: PreparedData, config: Config, context: Context
) -> tuple[FitResult, list[dict[str, Any]] | None]:
    """Trains at once, or in the two phases of transfer learning."""
    from pipeline.models.applications import HEAD_LAYERS, check_pixels
    from pipeline.training.fit import fit
    from pipeline.training.transfer import transfer

    if is_application(config.model.architecture):
        check_pixels(data.train.x[:PIXEL_SAMPLES], data.model_preprocessing)
    where = (context.seed, context.work, context.output, context.progress)
    if config.train.transfer is None:
        return fit(model, data, config.train, *where, teacher=load_teacher(context)), None
    result = transfer(model, HEAD_LAYERS, data, config.train, *where)
    return result.fit, result.phases


def _notes(config: Config) -> tuple[str, ...]:
    """What the user should know of how the training ran."""
    from pipeline.training.devices import describe_devices
    from pipeline.training.precision import describe_precision

    notes = [
        describe_devices(config.train.devices),
        describe_precision(config.train.mixed_precision),
    ]
    if config.train.transfer is not None and getattr(config.model, "weights", None) == "none":
        notes.append(
            "transfer learning from random weights shows that the chain runs, and no more; give "
            "model.weights"
        )
    return tuple(note for note in notes if note is not None)
