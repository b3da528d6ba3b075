"""The steps of a trial behind its training, done as the later stages will do them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.tuning.task import Epochs, Figures, TrialInputs, TrialTask, figures_of

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import PreparedData
    from pipeline.tflite.conversion_request import ConversionRequest
    from pipeline.training.fit import EpochCallback

Save = Callable[[Path, int], None]
TEACHER_FILE = "teacher.keras"


def keep_teacher(model: keras.Model, task: TrialTask) -> keras.Model | None:
    """Returns a copy of the float model where a later step of the trial learns from it.

    In the chain that is the model that `tune` hands on.
    """
    from pipeline.models.files import load_model, save_model

    steps, config = task.steps, task.config
    taught = [
        steps.prunes and config.prune.distillation is not None,
        steps.quantizes and config.quantize.fine_tuning.distillation is not None,
    ]
    if not any(taught):
        return None
    task.work.mkdir(parents=True, exist_ok=True)
    save_model(model, task.work / TEACHER_FILE)
    return load_model(task.work / TEACHER_FILE)


def prune_model(
    model: keras.Model,
    task: TrialTask,
    data: PreparedData,
    on_epoch: EpochCallback,
    teacher: keras.Model | None = None,
) -> Figures:
    """Prunes in place with the trial's values; the stage prune does the very same."""
    import keras

    from pipeline.bridge.pruning import prune

    keras.utils.set_random_seed(task.seed)
    result = prune(
        model,
        data,
        task.config.prune,
        task.seed,
        task.work / "prune",
        task.work / "output",
        Epochs("prune_epoch", on_epoch),
        teacher if task.config.prune.distillation is not None else None,
    )
    return {
        **figures_of(result.validation),
        "sparsity": result.metrics()["sparsity"],
        "epochs_run": len(result.history),
        "seconds": result.seconds,
    }


def quantize_model(
    model: keras.Model,
    task: TrialTask,
    data: PreparedData,
    on_epoch: EpochCallback,
    teacher: keras.Model | None = None,
) -> tuple[Figures, Save]:
    """Trains with quantization in the loop; the stage quantize does the very same.

    Returns:
        The figures of the quantized model, and how it is saved for conversion.
    """
    import keras

    from pipeline.bridge.qat import quantization_aware_train

    keras.utils.set_random_seed(task.seed)
    settings = task.config.quantize.fine_tuning
    result = quantization_aware_train(
        model,
        data,
        settings,
        task.seed,
        task.work / "qat",
        task.work / "output",
        Epochs("qat_epoch", on_epoch),
        teacher=teacher if settings.distillation is not None else None,
    )
    figures = {
        **figures_of(result.validation),
        "epochs_run": len(result.history),
        "seconds": result.seconds,
    }
    return figures, result.save_for_conversion


def measure_file(
    model: keras.Model, save: Save | None, task: TrialTask, inputs: TrialInputs
) -> Figures:
    """Converts to the scheme that the chain deploys; returns size_bytes and gzip_bytes.

    Args:
        model: as the trial has made it.
        save: writes a SavedModel of what QAT made of it; None: the model itself.
        task, inputs: of the trial.
    """
    from pipeline.bridge.conversion import save_for_conversion
    from pipeline.compression.sizes import gzip_size
    from pipeline.data.representative import choose_representative
    from pipeline.tflite.convert import convert

    settings, data = task.config.quantize, inputs.data
    saved = task.work / "saved_model"
    if save is None:
        save_for_conversion(model, saved, task.config.export.batch_size)
    else:
        save(saved, task.config.export.batch_size)
    chosen = choose_representative(
        data.train, data.task, settings.representative_samples, task.seed
    )
    request = _request(task)
    paths = convert(saved, [request], data.train.x[chosen], task.work / "file", inputs.converter())
    content = paths[request.name].read_bytes()
    return {"size_bytes": len(content), "gzip_bytes": gzip_size(content)}


def _request(task: TrialTask) -> ConversionRequest:
    from pipeline.tflite.conversion_request import ConversionRequest

    settings, scheme = task.config.quantize, str(task.steps.scheme)
    if scheme == "float32":
        return ConversionRequest(f"trial_{task.trial}", "float32")
    return ConversionRequest(
        f"trial_{task.trial}",
        scheme,  # type: ignore[arg-type]
        settings.inference_io,
        settings.dense_scales,
        settings.float_operators,
    )
