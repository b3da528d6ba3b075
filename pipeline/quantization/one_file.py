"""Making one `.tflite` file of a source, and checking what was promised of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.quantize import INT8_ACTIVATIONS
from pipeline.config.ranges import CALIBRATED_SCHEMES
from pipeline.quantization.quality import quality_loss

if TYPE_CHECKING:
    import keras

    from pipeline.config.quantize import QuantizeConfig
    from pipeline.quantization.material import Material
    from pipeline.tflite.conversion_request import ConversionRequest


def make_request(settings: QuantizeConfig, scheme: str, model: keras.Model) -> ConversionRequest:
    """Returns what is asked of the converter for one scheme of the section.

    Args:
        settings: the section.
        scheme: of the file.
        model: that is quantized; names the layers.

    Raises:
        ConfigError: a pattern of `layers` matches none of its layers.
    """
    from pipeline.quantization.layer_patterns import layer_schemes
    from pipeline.tflite.conversion_request import ConversionRequest

    return ConversionRequest(
        scheme,
        scheme,  # type: ignore[arg-type]
        settings.inference_io,
        settings.dense_scales,
        settings.float_operators,
        settings.weight_algorithm,
        settings.block_size if scheme == "int4" else None,
        ranges=settings.ranges.kind if scheme in INT8_ACTIVATIONS else "min_max",
        percentile=settings.ranges.at_percentile,
        bias_correction=settings.bias_correction and scheme in CALIBRATED_SCHEMES,
        weight_scales=settings.weight_scales if scheme in ("int8", "int16x8") else "exact",
        layers=layer_schemes(settings, model),
    )


def describe_file(request: ConversionRequest, path: Path, material: Material) -> dict[str, Any]:
    """Checks what was promised of one file, and measures it on the validation split.

    Args:
        request: what was asked of the converter.
        path: what came of it.
        material: what is quantized.

    Returns:
        The file's row in the manifest; `layer_errors` is None until it is measured.

    Raises:
        PromiseError: types, zeros or their pattern, or shared values are not as promised. The
            bound on quality is left to `check_quality`.
    """
    from pipeline.compression.sizes import gzip_size
    from pipeline.models.kernels import count_kernel_zeros
    from pipeline.tasks.measure import measure
    from pipeline.tflite.bias_correction import find_uncorrected
    from pipeline.tflite.flatbuffer import read_model
    from pipeline.tflite.float_operators import find_float_operators
    from pipeline.tflite.inspect import inspect_model
    from pipeline.tflite.interpreter import load
    from pipeline.tflite.verify import check_dtypes, check_zeros_kept
    from pipeline.tflite.verify_clusters import check_clusters
    from pipeline.tflite.verify_layer_schemes import asked_kernels, describe_layers
    from pipeline.tflite.verify_low_bits import tell_wider_weights
    from pipeline.tflite.verify_patterns import check_patterns

    data = material.data
    check_dtypes(path, request)
    check_zeros_kept(path, count_kernel_zeros(material.model))
    check_clusters(path, material.clustered)
    check_patterns(path, material.patterned)
    model = read_model(path)
    inspection = inspect_model(model)
    validation = measure(data.task, load(path).predict(data.validation.x), data.validation.y[:])
    content = path.read_bytes()
    in_float = find_float_operators(model) if request.scheme in CALIBRATED_SCHEMES else ()
    uncorrected = find_uncorrected(model) if request.bias_correction else ()
    return {
        "name": request.name,
        "scheme": request.scheme,
        "float_operators": [operator.to_json() for operator in in_float],
        "uncorrected": [str(operator) for operator in uncorrected],
        "layers": describe_layers(request, model),
        "wider_weights": tell_wider_weights(
            inspection, request.scheme, asked_kernels(request, model)
        ),
        "file": path.name,
        "size_bytes": len(content),
        "gzip_bytes": gzip_size(content),
        "sparsity": inspection.sparsity,
        "validation": validation,
        **quality_loss(data.task, validation, material.reference),
        "layer_errors": None,
        "tensors": [weight.to_json() for weight in inspection.kernels],
    }


def file_notes(files: list[dict[str, Any]]) -> list[str]:
    """One line for what a file computes in float, its wider weights, its uncorrected biases."""
    wider = [f"{file['name']}: {file['wider_weights']}" for file in files if file["wider_weights"]]
    in_float = [note for file in files for note in _float_notes(file)]
    uncorrected = [
        f"{file['name']}: bias not corrected: {'; '.join(file['uncorrected'])}"
        for file in files
        if file["uncorrected"]
    ]
    return wider + in_float + uncorrected


def _float_notes(file: dict[str, Any]) -> list[str]:
    """What is in float because its layer was given float32, and what has no integer kernel."""
    asked = {row["operator"] for row in file["layers"] if row["scheme"] == "float32"}
    reasons = {True: "as quantize.layers says", False: "which has no integer kernel"}
    notes = []
    for told, reason in reasons.items():
        rows = [row for row in file["float_operators"] if (row["operator"] in asked) == told]
        if rows:
            words = ", ".join(f"{row['operator']} × {row['count']}" for row in rows)
            notes.append(f"{file['name']}: {words} in float32, {reason}")
    return notes
