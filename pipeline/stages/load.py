"""load: a model that is there already, read and looked at before anything is done to it.

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
    from pipeline.foreign.load import ForeignModel

# Of the training split, for the trial conversion.
PREFLIGHT_SAMPLES = 16


def run(config: Config, context: Context) -> StageResult:
    """Reads the model, says what will happen to it, and measures it on the validation split."""
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model
    from pipeline.models.predict import predict_outputs
    from pipeline.preflight.check import check_model
    from pipeline.preflight.features import check_feature_layers
    from pipeline.preflight.refuse import refuse_found
    from pipeline.tasks.measure import measure

    data = load_splits(config, context, "train", "validation")
    read = _read(config, data)
    model, overrides, found = _fit_to_data(config, read.model, data)
    looked_at = data.train.x[:PREFLIGHT_SAMPLES]
    preflight = check_model(
        model, read.compiled, config.prune, config.cluster, [looked_at], context.converter(),
        (*read.notes, *found), task=data.task.name,
    )  # fmt: skip
    refuse_found(preflight, config)
    check_feature_layers(model, config)
    data = load_splits(_substituted(config, overrides), context, "validation")
    outputs = predict_outputs(model, data.validation.x)
    data = with_answers(data, "validation", lambda x: outputs)
    save_model(model, context.output / MODEL_FILE)
    return StageResult(
        {
            "origin": read.origin,
            "parameters": model.count_params(),
            "validation": measure(data.task, outputs, data.validation.y[:]),
            "overrides": overrides,
            "preflight": preflight.to_json(),
        },
        model_digest(model),
        (*preflight.notes, *preflight.plan),
    )


def _read(config: Config, data: PreparedData) -> ForeignModel:
    """Returns the model, where it comes from, and what its reader has to say."""
    from pipeline.config.model import FileModel
    from pipeline.foreign.load import ForeignModel, load_foreign
    from pipeline.models.build import build_for

    if isinstance(config.model, FileModel):
        return load_foreign(config.model.path, config.model.custom_objects)
    model = build_for(config.model, data)
    origin = f"{config.model.architecture} with weights from a file"
    return ForeignModel(model, origin, None, ())


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


def _substituted(config: Config, overrides: dict[str, Any]) -> Config:
    """Returns the configuration with the overrides in it."""
    from pipeline.config.substitution import substitute

    return substitute(config, overrides) if overrides else config
