"""Making one `.tflite` file of a source, and checking what was promised of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.quantization.quality import quality_loss

if TYPE_CHECKING:
    from pipeline.config.quantize import QuantizeConfig
    from pipeline.quantization.material import Material
    from pipeline.tflite.convert import ConversionRequest


def make_request(settings: QuantizeConfig, scheme: str) -> ConversionRequest:
    """Returns what is asked of the converter for one scheme of the section."""
    from pipeline.tflite.convert import CALIBRATED_SCHEMES, ConversionRequest

    return ConversionRequest(
        scheme,
        scheme,  # type: ignore[arg-type]
        settings.inference_io,
        settings.dense_scales,
        settings.float_operators,
        settings.weight_algorithm,
        settings.block_size if scheme == "int4" else None,
        ranges=settings.ranges.kind if scheme == "int8" else "min_max",
        percentile=settings.ranges.at_percentile,
        bias_correction=settings.bias_correction and scheme in CALIBRATED_SCHEMES,
        weight_scales=settings.weight_scales if scheme in CALIBRATED_SCHEMES else "exact",
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
    from pipeline.tflite.convert import CALIBRATED_SCHEMES
    from pipeline.tflite.flatbuffer import read_model
    from pipeline.tflite.float_operators import find_float_operators
    from pipeline.tflite.inspect import inspect
    from pipeline.tflite.interpreter import load
    from pipeline.tflite.low_bits import LOW_BIT_SCHEMES
    from pipeline.tflite.verify import check_dtypes, check_zeros_kept
    from pipeline.tflite.verify_clusters import check_clusters
    from pipeline.tflite.verify_low_bits import tell_wider_weights
    from pipeline.tflite.verify_patterns import check_patterns

    data = material.data
    check_dtypes(path, request)
    check_zeros_kept(path, count_kernel_zeros(material.model))
    check_clusters(path, material.clustered)
    check_patterns(path, material.patterned)
    inspection = inspect(path)
    validation = measure(data.task, load(path).predict(data.validation.x), data.validation.y[:])
    content = path.read_bytes()
    in_float = find_float_operators(path) if request.scheme in CALIBRATED_SCHEMES else ()
    uncorrected = find_uncorrected(read_model(path)) if request.bias_correction else ()
    low = request.scheme in LOW_BIT_SCHEMES
    return {
        "name": request.name,
        "scheme": request.scheme,
        "float_operators": [operator.to_json() for operator in in_float],
        "uncorrected": [str(operator) for operator in uncorrected],
        "wider_weights": tell_wider_weights(inspection, request.scheme) if low else None,
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
    in_float = [
        f"{file['name']}: "
        + ", ".join(f"{row['operator']} × {row['count']}" for row in file["float_operators"])
        + " in float32, which has no integer kernel"
        for file in files
        if file["float_operators"]
    ]
    uncorrected = [
        f"{file['name']}: bias not corrected: {'; '.join(file['uncorrected'])}"
        for file in files
        if file["uncorrected"]
    ]
    return wider + in_float + uncorrected
