"""export: the bundle to deploy; every file in it was run and compared with its Keras model."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import write_bytes_atomic, write_json_atomic
from pipeline.config.schema import Config
from pipeline.errors import PromiseError
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import (
    MODEL_FILE,
    REFERENCE_FILE,
    clustered_kernels,
    load_splits,
    patterned_kernels,
)

if TYPE_CHECKING:
    import numpy as np

    from pipeline.data.prepared import PreparedData

# Largest difference, relative to the spread of the outputs, that rounding may leave in a file
# that computes in float32. Quantized files are held to export.min_label_agreement instead, or
# to max_mean_difference where answers are numbers.
FLOAT_TOLERANCE = 1e-3


@dataclass(frozen=True)
class _Exported:
    """A file in the bundle, and what its Keras model answers on the same samples."""

    name: str
    path: Path
    x: np.ndarray
    reference: np.ndarray
    quantized: bool


def run(config: Config, context: Context) -> StageResult:
    """Converts the baselines, adds the quantized files, and writes what deploying needs."""
    from pipeline.tflite.c_source import write_c_source
    from pipeline.tflite.runner_script import write_runner
    from pipeline.tflite.strip import strip

    data = load_splits(config, context, "validation")
    exported = [
        *_export_baselines(config, context, data),
        *_copy_quantized(context, data),
    ]
    _check_narrowed(context, exported)
    if config.export.strip:
        for file in exported:
            write_bytes_atomic(file.path, strip(file.path.read_bytes()))
    files = [_verify_and_describe(file, config, data) for file in exported]
    deploy = _choose_deployed(exported)
    write_c_source(deploy.path.read_bytes(), context.output, config.export.array_name)
    write_runner(context.output, deploy.path.name)
    return StageResult({"files": files, "deploy": deploy.path.name})


def _export_baselines(config: Config, context: Context, data: PreparedData) -> list[_Exported]:
    """Converts float, pruned, … as they are, without quantization."""
    from pipeline.bridge.conversion import save_for_conversion
    from pipeline.data.representative import choose_representative
    from pipeline.models.files import load_model
    from pipeline.models.predict import predict_outputs
    from pipeline.tflite.conversion_request import ConversionRequest
    from pipeline.tflite.convert import convert
    from pipeline.tflite.verify_clusters import check_clusters
    from pipeline.tflite.verify_patterns import check_patterns

    chosen = choose_representative(
        data.validation, data.task, config.export.parity_samples, context.seed
    )
    x = data.validation.x[chosen]
    exported = []
    for label, artifact in context.inputs["baselines"].items():
        model = load_model(artifact.file(MODEL_FILE))
        saved = context.work / f"saved_model_{label}"
        save_for_conversion(model, saved, config.export.batch_size)
        request = ConversionRequest(label, "float32")
        paths = convert(saved, [request], None, context.output, context.converter())
        if label == "clustered":
            check_clusters(paths[label], clustered_kernels(context))
        if label in ("pruned", "clustered"):
            check_patterns(paths[label], patterned_kernels(context))
        reference = predict_outputs(model, x)
        exported.append(_Exported(label, paths[label], x, reference, quantized=False))
    return exported


def _check_narrowed(context: Context, exported: list[_Exported]) -> None:
    """Counts, in the narrowed file and all behind it, what `narrow` promised of the model."""
    from pipeline.tflite.verify_narrowed import check_narrowed

    names = [file.name for file in exported]
    if "narrowed" not in names:
        return
    place = names.index("narrowed")
    macs = context.inputs["baselines"]["narrowed"].metrics["macs"]
    for file in exported[place:]:
        check_narrowed(file.path, exported[place - 1].path, macs)


def _copy_quantized(context: Context, data: PreparedData) -> list[_Exported]:
    """Takes the quantized files as they are, with the answers that quantize recorded."""
    import numpy as np

    if not context.inputs["tflite"]:
        return []
    artifact = context.input("tflite")
    with np.load(artifact.file(REFERENCE_FILE), allow_pickle=False) as reference:
        indices, outputs = reference["indices"], reference["outputs"]
    exported = []
    for file in artifact.metrics["files"]:
        path = context.output / file["file"]
        shutil.copyfile(artifact.file(file["file"]), path)
        x = data.validation.x[indices]
        exported.append(_Exported(file["name"], path, x, outputs, quantized=True))
    return exported


def _verify_and_describe(file: _Exported, config: Config, data: PreparedData) -> dict[str, Any]:
    """Runs a file on the reference's samples, compares, and writes its sidecar."""
    from pipeline.compression.sizes import gzip_size
    from pipeline.tflite.sidecar import describe_file
    from pipeline.tflite.verify import compare_outputs

    parity = compare_outputs(file.path, file.x, file.reference, data.task)
    _check_parity(file, parity, config)
    affine = data.preprocessing
    preprocessing = None
    if affine is not None:
        preprocessing = {**affine.to_json(), "placement": data.placement}
    sidecar = describe_file(file.path, data.task, preprocessing, data.encoding)
    write_json_atomic(file.path.with_suffix(".json"), sidecar)
    content = file.path.read_bytes()
    return {
        "name": file.name,
        "file": file.path.name,
        "size_bytes": len(content),
        "gzip_bytes": gzip_size(content),
        "sha256": sidecar["sha256"],
        "inputs": sidecar["inputs"],
        "outputs": sidecar["outputs"],
        "parity": parity,
    }


def _check_parity(file: _Exported, parity: dict[str, Any], config: Config) -> None:
    """Refuses a file that does not answer as its Keras model does."""
    if not file.quantized and parity["max_difference"] > FLOAT_TOLERANCE:
        raise PromiseError(
            f"export: {file.path.name} differs from its Keras model by "
            f"{parity['max_difference']:.2g} of the outputs' spread, expected at most "
            f"{FLOAT_TOLERANCE:g}"
        )
    least, agreement = config.export.min_label_agreement, parity["label_agreement"]
    if file.quantized and agreement is not None and agreement < least:
        raise PromiseError(
            f"export: {file.path.name} gives the label of its Keras model on {agreement:.1%} of "
            f"{parity['samples']} validation samples, expected {least:.1%}; try another scheme "
            "or method: qat"
        )
    largest = config.export.max_mean_difference
    if file.quantized and agreement is None and parity["mean_difference"] > largest:
        raise PromiseError(
            f"export: {file.path.name} differs from its Keras model by "
            f"{parity['mean_difference']:.2g} of the outputs' spread on average, expected at most "
            f"{largest:g}; try another scheme or method: qat"
        )


def _choose_deployed(exported: list[_Exported]) -> _Exported:
    """The first quantized file; without one, the last baseline."""
    return next((file for file in exported if file.quantized), exported[-1])
