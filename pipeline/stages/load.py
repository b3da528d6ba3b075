"""load: a model that is there already, looked at before anything is done to it.

It stands in front of the chain where `model.path` is given, or `model.weights` without a stage
that trains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_splits, with_answers

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import PreparedData


def run(config: Config, context: Context) -> StageResult:
    """Reads the model, fits it to the data, and measures it on the validation split."""
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model
    from pipeline.models.predict import predict_outputs
    from pipeline.tasks.measure import measure

    data = load_splits(config, context, "train", "validation")
    model, origin, notes = _read(config, data)
    model, overrides, found = _fit_to_data(config, model, data)
    data = load_splits(substituted(config, overrides), context, "validation")
    outputs = predict_outputs(model, data.validation.x)
    data = with_answers(data, "validation", lambda x: outputs)
    save_model(model, context.output / MODEL_FILE)
    return StageResult(
        {
            "origin": origin,
            "parameters": model.count_params(),
            "validation": measure(data.task, outputs, data.validation.y[:]),
            "overrides": overrides,
        },
        model_digest(model),
        (*notes, *found),
    )


def _read(config: Config, data: PreparedData) -> tuple[keras.Model, str, tuple[str, ...]]:
    """Returns the model, where it comes from, and what its reader has to say."""
    from pipeline.config.model import FileModel
    from pipeline.models.build import build_model

    if isinstance(config.model, FileModel):
        from pipeline.foreign.load import load_foreign

        found = load_foreign(config.model.path, config.model.custom_objects)
        return found.model, found.origin, found.notes
    model = build_model(
        config.model,
        data.input_shape,
        data.task,
        data.model_preprocessing,
        data.input_dtype,
        data.tokens,
    )
    return model, f"{config.model.architecture} with weights from a file", ()


def _fit_to_data(
    config: Config, model: keras.Model, data: PreparedData
) -> tuple[keras.Model, dict[str, Any], tuple[str, ...]]:
    """Checks that model and data fit.

    Returns:
        The model with the data's shape as its input's, what later stages have to know of its
        outputs, and the same for the user.
    """
    from pipeline.config.model import FileModel
    from pipeline.models.fit_to_data import check_fits, fix_input, output_form
    from pipeline.models.functional import as_functional

    model = as_functional(model, data.input_shape)
    check_fits(model, data.input_shape, data.input_dtype, data.task)
    model = fix_input(model, data.input_shape, data.input_dtype)
    if not isinstance(config.model, FileModel) or config.model.outputs != "auto":
        return model, {}, ()
    found = output_form(model, data.validation.x, data.task)
    if found is None:
        return model, {}, ()
    form, reason = found
    return model, {"model.outputs": form}, (f"its outputs are {form}: {reason}",)


def substituted(config: Config, overrides: dict[str, Any]) -> Config:
    """Returns the configuration with the overrides in it."""
    from pipeline.config.substitution import substitute

    return substitute(config, overrides) if overrides else config
