"""quantize: from the model before it to `.tflite` files with fewer bits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import sha256_file, sha256_json
from pipeline.config.schema import Config
from pipeline.errors import PromiseError
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import REFERENCE_FILE, load_input_model, load_splits

if TYPE_CHECKING:
    import keras
    import numpy as np

    from pipeline.data.prepared import PreparedData


@dataclass(frozen=True)
class _Source:
    """What is converted: the model as it was, or trained with quantization in the loop."""

    save: Callable[[Path, int], None]
    predict: Callable[[np.ndarray], np.ndarray]
    metrics: dict[str, Any] | None = None
    notes: tuple[str, ...] = field(default=())


def check(config: Config) -> None:
    """Refuses, when planned, an optimizer that the bridge's other side does not have."""
    from pipeline.bridge.optimizers_table import check_optimizer_crosses

    if config.quantize.method == "qat":
        check_optimizer_crosses(config.quantize.fine_tuning.optimizer, "quantize.qat")


def run(config: Config, context: Context) -> StageResult:
    """Makes one file per scheme; dtypes, zeros and accuracy are checked on each file."""
    from pipeline.data.representative import choose_representative
    from pipeline.tflite.convert import ConversionRequest, convert

    settings = config.quantize
    data = load_splits(config, context, "train", "validation")
    model = load_input_model(context)
    source = _prepare_source(config, context, data, model)
    saved = context.work / "saved_model"
    source.save(saved, config.export.batch_size)
    chosen = choose_representative(data.train.y, settings.representative_samples, context.seed)
    requests = [
        ConversionRequest(name, name, settings.inference_io, settings.dense_scales)
        for name in settings.schemes
    ]
    paths = convert(saved, requests, data.train.x[chosen], context.output, context.converter())
    float_accuracy = _float_accuracy(context)
    files = [
        _describe_file(request, paths[request.name], model, data, float_accuracy, config)
        for request in requests
    ]
    _save_reference(config, context, data, source)
    return StageResult(
        {
            "method": settings.method,
            "files": files,
            "reference": {"accuracy": float_accuracy, "samples": len(data.validation)},
            "qat": source.metrics,
            "representative": {
                "samples": len(chosen),
                "class_counts": _class_counts(data, chosen),
            },
        },
        digest=_digest([*paths.values(), context.output / REFERENCE_FILE]),
        notes=source.notes,
    )


def _digest(paths: list[Path]) -> str:
    """The files that ship and the answers they are held to; not the history with its seconds."""
    return sha256_json({path.name: sha256_file(path) for path in paths})


def _prepare_source(
    config: Config, context: Context, data: PreparedData, model: keras.Model
) -> _Source:
    if config.quantize.method == "ptq":
        from pipeline.models.predict import predict_logits
        from pipeline.tflite.saved_model import save_keras_model

        return _Source(
            save=lambda folder, batch: save_keras_model(model, folder, batch),
            predict=lambda x: predict_logits(model, x),
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
    float_accuracy: float,
    config: Config,
) -> dict[str, Any]:
    """Checks what was promised of one file, and measures it on the validation split."""
    from pipeline.compression.sizes import sizes
    from pipeline.models.kernels import count_kernel_zeros
    from pipeline.tflite.inspect import inspect
    from pipeline.tflite.verify import check_dtypes, check_zeros_kept

    check_dtypes(path, request)
    check_zeros_kept(path, count_kernel_zeros(model))
    inspection = inspect(path)
    validation = _measure(path, data)
    drop = float_accuracy - validation["accuracy"]
    allowed = config.quantize.max_accuracy_drop
    if allowed is not None and drop > allowed:
        raise PromiseError(
            f"quantize: {request.name} loses {drop:.4f} of accuracy on validation data, "
            f"max_accuracy_drop is {allowed}; try method: qat, or allow more"
        )
    size = sizes(path.read_bytes())
    return {
        "name": request.name,
        "scheme": request.scheme,
        "file": path.name,
        "size_bytes": size.size_bytes,
        "gzip_bytes": size.gzip_bytes,
        "sparsity": inspection.sparsity,
        "validation": validation,
        "accuracy_drop": drop,
        "tensors": [weight.to_json() for weight in inspection.kernels],
    }


def _measure(path: Path, data: PreparedData) -> dict[str, Any]:
    """Returns accuracy and loss of a file on the validation split."""
    from pipeline.compression.statistics import cross_entropy
    from pipeline.tflite.interpreter import load

    logits = load(path).predict(data.validation.x)
    labels = data.validation.y
    return {
        "accuracy": float((logits.argmax(axis=1) == labels).mean()),
        "loss": cross_entropy(logits, labels),
        "samples": len(labels),
    }


def _float_accuracy(context: Context) -> float:
    """Returns the validation accuracy of the float model that the chain started from."""
    first = next(iter(context.inputs["baselines"].values()))
    return float(first.metrics["validation"]["accuracy"])


def _save_reference(config: Config, context: Context, data: PreparedData, source: _Source) -> None:
    """Keeps what the converted model answers, for `export` to compare the files with.

    A model trained with quantization in the loop never leaves this stage, its answers do.
    """
    import numpy as np

    from pipeline.data.representative import choose_representative

    chosen = choose_representative(data.validation.y, config.export.parity_samples, context.seed)
    logits = source.predict(data.validation.x[chosen])
    np.savez(context.output / REFERENCE_FILE, indices=chosen, logits=logits)


def _class_counts(data: PreparedData, chosen: np.ndarray) -> list[int]:
    import numpy as np

    counts: list[int] = np.bincount(data.train.y[chosen], minlength=data.num_classes).tolist()
    return counts
