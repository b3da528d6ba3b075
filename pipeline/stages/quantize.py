"""quantize: from the model before it to `.tflite` files with fewer bits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import sha256_file, sha256_json
from pipeline.config.schema import Config
from pipeline.errors import ConfigError, PromiseError
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import (
    REFERENCE_FILE,
    clustered_kernels,
    load_input_model,
    load_splits,
    load_teacher,
    with_answers,
)

if TYPE_CHECKING:
    import keras
    import numpy as np

    from pipeline.data.prepared import PreparedData
    from pipeline.data.samples import Samples
    from pipeline.tasks.task import Task


@dataclass(frozen=True)
class _Source:
    """What is converted: the model as it was, or trained with quantization in the loop."""

    save: Callable[[Path, int], None]
    predict: Callable[[Samples], np.ndarray]
    metrics: dict[str, Any] | None = None
    notes: tuple[str, ...] = field(default=())


def check(config: Config) -> None:
    """Refuses, when planned, an optimizer that the bridge lacks, and blocks that split clusters."""
    from pipeline.bridge.optimizers_table import check_optimizer_crosses

    if config.quantize.block_size is not None and "cluster" in config.stages:
        raise ConfigError(
            "quantize.block_size: one value of a clustered kernel would become another code in "
            "each block; leave it out, or the stage cluster"
        )
    if config.quantize.method == "qat":
        check_optimizer_crosses(config.quantize.fine_tuning.optimizer, "quantize.qat")


def run(config: Config, context: Context) -> StageResult:
    """Makes one file per scheme; dtypes, zeros and accuracy are checked on each file."""
    from pipeline.data.representative import choose_representative
    from pipeline.tflite.convert import ConversionRequest, convert
    from pipeline.tflite.verify_clusters import check_clusters

    settings = config.quantize
    data = load_splits(config, context, "train", "validation")
    model = load_input_model(context)
    source = _prepare_source(config, context, data, model)
    data = with_answers(data, "validation", source.predict)
    saved = context.work / "saved_model"
    source.save(saved, config.export.batch_size)
    chosen = choose_representative(
        data.train, data.task, settings.representative_samples, context.seed
    )
    requests = [
        ConversionRequest(
            name,
            name,
            settings.inference_io,
            settings.dense_scales,
            settings.float_operators,
            settings.weight_algorithm,
            settings.block_size if name == "int4" else None,
        )
        for name in settings.schemes
    ]
    paths = convert(saved, requests, data.train.x[chosen], context.output, context.converter())
    reference = _float_metric(context, data.task)
    files = [
        _describe_file(request, paths[request.name], model, data, reference, config)
        for request in requests
    ]
    for path in paths.values():
        check_clusters(path, clustered_kernels(context))
    _save_reference(config, context, data, source)
    return StageResult(
        {
            "method": settings.method,
            "files": files,
            "metric": data.task.metric,
            "reference": {data.task.metric: reference, "samples": len(data.validation)},
            "qat": source.metrics,
            "representative": {
                "samples": len(chosen),
                "class_counts": _class_counts(data, chosen),
            },
        },
        digest=_digest([*paths.values(), context.output / REFERENCE_FILE]),
        notes=(*source.notes, *_notes(files)),
    )


def _digest(paths: list[Path]) -> str:
    """The files that ship and the answers they are held to; not the history with its seconds."""
    return sha256_json({path.name: sha256_file(path) for path in paths})


def _prepare_source(
    config: Config, context: Context, data: PreparedData, model: keras.Model
) -> _Source:
    if config.quantize.method == "ptq":
        from pipeline.bridge.conversion import save_for_conversion
        from pipeline.models.predict import predict_outputs

        return _Source(
            save=lambda folder, batch: save_for_conversion(model, folder, batch),
            predict=lambda x: predict_outputs(model, x),
        )
    from pipeline.bridge.qat import quantization_aware_train

    trained = quantization_aware_train(
        model,
        data,
        config.quantize.fine_tuning,
        context.seed,
        context.work,
        context.output,
        context.progress,
        [(kernel.layer, kernel.tensor) for kernel in clustered_kernels(context)],
        load_teacher(context),
    )
    left = tuple(
        f"{layer['layer']} left to the converter: {layer['reason']}"
        for layer in trained.left_to_converter
    )
    return _Source(trained.save_for_conversion, trained.predict, trained.metrics(), left)


def _describe_file(
    request: Any,
    path: Path,
    model: keras.Model,
    data: PreparedData,
    reference: float,
    config: Config,
) -> dict[str, Any]:
    """Checks what was promised of one file, and measures it on the validation split."""
    from pipeline.compression.sizes import gzip_size
    from pipeline.models.kernels import count_kernel_zeros
    from pipeline.tasks.measure import measure
    from pipeline.tflite.convert import CALIBRATED_SCHEMES
    from pipeline.tflite.float_operators import find_float_operators
    from pipeline.tflite.inspect import inspect
    from pipeline.tflite.interpreter import load
    from pipeline.tflite.low_bits import LOW_BIT_SCHEMES
    from pipeline.tflite.verify import check_dtypes, check_zeros_kept
    from pipeline.tflite.verify_low_bits import tell_wider_weights

    check_dtypes(path, request)
    check_zeros_kept(path, count_kernel_zeros(model))
    inspection = inspect(path)
    validation = measure(data.task, load(path).predict(data.validation.x), data.validation.y[:])
    loss = _check_loss_of_quality(request.name, data.task, validation, reference, config)
    content = path.read_bytes()
    in_float = find_float_operators(path) if request.scheme in CALIBRATED_SCHEMES else ()
    low = request.scheme in LOW_BIT_SCHEMES
    return {
        "name": request.name,
        "scheme": request.scheme,
        "float_operators": [operator.to_json() for operator in in_float],
        "wider_weights": tell_wider_weights(inspection, request.scheme) if low else None,
        "file": path.name,
        "size_bytes": len(content),
        "gzip_bytes": gzip_size(content),
        "sparsity": inspection.sparsity,
        "validation": validation,
        **loss,
        "tensors": [weight.to_json() for weight in inspection.kernels],
    }


def _notes(files: list[dict[str, Any]]) -> list[str]:
    """One line for each integer file that computes something in float, or has wider weights."""
    wider = [f"{file['name']}: {file['wider_weights']}" for file in files if file["wider_weights"]]
    return wider + [
        f"{file['name']}: "
        + ", ".join(f"{row['operator']} × {row['count']}" for row in file["float_operators"])
        + " in float32, which has no integer kernel"
        for file in files
        if file["float_operators"]
    ]


def _check_loss_of_quality(
    name: str, task: Task, validation: dict[str, float], reference: float, config: Config
) -> dict[str, float]:
    """Holds a file to max_accuracy_drop or max_error_increase; returns the figure it is held to."""
    # NaN is above no bound; it is what float16 makes of sums that overflow.
    if not math.isfinite(validation["loss"]):
        raise PromiseError(
            f"quantize: {name} gives NaN or infinity on validation data, promised finite numbers; "
            "leave it out of quantize.schemes"
        )
    figure = validation[task.metric]
    if task.higher_is_better:
        loss, allowed = reference - figure, config.quantize.max_accuracy_drop
        key, words = "accuracy_drop", f"loses {loss:.4f} of accuracy"
    else:
        # Relative, because an error has the unit of its data; a perfect model has none to add to.
        loss = (figure - reference) / reference if reference > 0 else 0.0
        allowed = config.quantize.max_error_increase
        key, words = "error_increase", f"raises the {task.metric} by {loss:.1%}"
    trained = config.quantize.method == "qat"
    advice = "prune less, or allow more" if trained else "try method: qat, or allow more"
    if allowed is not None and loss > allowed:
        raise PromiseError(
            f"quantize: {name} {words} on validation data, max_{key} is {allowed}; {advice}"
        )
    return {key: loss}


def _float_metric(context: Context, task: Task) -> float:
    """Returns the validation figure of the float model that the chain started from."""
    first = next(iter(context.inputs["baselines"].values()))
    return float(first.metrics["validation"][task.metric])


def _save_reference(config: Config, context: Context, data: PreparedData, source: _Source) -> None:
    """Keeps what the converted model answers, for `export` to compare the files with.

    A model trained with quantization in the loop never leaves this stage, its answers do.
    """
    import numpy as np

    from pipeline.data.representative import choose_representative

    chosen = choose_representative(
        data.validation, data.task, config.export.parity_samples, context.seed
    )
    outputs = source.predict(data.validation.x[chosen])
    np.savez(context.output / REFERENCE_FILE, indices=chosen, outputs=outputs)


def _class_counts(data: PreparedData, chosen: np.ndarray) -> list[int] | None:
    """Returns how many samples each class has among the chosen; None where there are none."""
    import numpy as np

    if not data.task.has_labels:
        return None
    classes = len(data.task.class_names)
    counts: list[int] = np.bincount(data.train.y[chosen], minlength=classes).tolist()
    return counts
