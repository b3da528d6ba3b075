"""train: from an architecture and data to the first, float, model."""

from __future__ import annotations

from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_splits


def run(config: Config, context: Context) -> StageResult:
    """Trains `model` as `train` says; a killed training goes on at its last epoch."""
    from pipeline.models.build import build_model
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model
    from pipeline.training.fit import fit

    data = load_splits(config, context, "train", "validation")
    model = build_model(
        config.model,
        data.input_shape,
        data.task,
        data.model_preprocessing,
        data.input_dtype,
        data.tokens,
    )
    result = fit(
        model, data, config.train, context.seed, context.work, context.output, context.progress
    )
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
        },
        model_digest(model),
    )
