"""Where an integer file errs: each layer's signal-to-quantization-noise ratio, the worst first."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.compression.signal_noise import find_outlier
from pipeline.errors import ArtifactError, PromiseError

if TYPE_CHECKING:
    from pipeline.quantization.material import Material
    from pipeline.tflite.flatbuffer import ModelFile

# Elements of all inner tensors that are looked at: about a second, two for a MobileNetV2.
ELEMENTS = 40_000_000
SAMPLES = (4, 32)


def convert_in_float(saved_model: Path, material: Material) -> Path:
    """Returns the float32 file of a SavedModel, made at the first call."""
    from pipeline.tflite.conversion_request import ConversionRequest
    from pipeline.tflite.convert import convert

    folder, request = saved_model.with_suffix(".in_float"), ConversionRequest("float32", "float32")
    path = folder / "float32.tflite"
    if not path.is_file():
        convert(saved_model, [request], None, folder, material.converter())
    return path


def measure_file_layers(
    path: Path, saved_model: Path, trained: bool, material: Material
) -> dict[str, Any]:
    """Measures the layers of an integer file on samples of the validation split.

    Args:
        path: the file.
        saved_model: that it was converted from; without quantization it gives the file to compare
            with.
        trained: whether it emulates quantization, as after quantization-aware training. Noise is
            then what the emulation did not foresee.
        material: what is quantized.

    Returns:
        {"reference", "split", "samples", "layers", "outlier"}: "float" or "emulation"; rows of
        `LayerError.to_json`, the lowest own ratio first; the name of the layer that stands out, or
        None. {"reason"} instead where the layers cannot be run one by one.
    """
    from pipeline.bridge.layer_names import layer_names
    from pipeline.data.representative import choose_representative
    from pipeline.tflite.flatbuffer import read_model
    from pipeline.tflite.layer_error import measure_layer_errors

    data = material.data
    count = _samples_for(read_model(path))
    chosen = choose_representative(data.validation, data.task, count, material.seed)
    try:
        rows = measure_layer_errors(
            path.read_bytes(),
            convert_in_float(saved_model, material).read_bytes(),
            layer_names(material.model),
            data.validation.x[chosen],
        )
    except (ArtifactError, PromiseError) as error:
        return {"reason": str(error)}
    rows.sort(key=lambda row: math.inf if row.own.sqnr_db is None else row.own.sqnr_db)
    outlier = find_outlier([row.own.sqnr_db for row in rows])
    return {
        "reference": "emulation" if trained else "float",
        "split": "validation",
        "samples": len(chosen),
        "layers": [row.to_json() for row in rows],
        "outlier": None if outlier is None else rows[outlier].layers[0],
    }


def _samples_for(file: ModelFile) -> int:
    """Returns how many samples may be run, whole batches."""
    batch = file.main.tensors[file.main.inputs[0]].shape[0]
    computed = [tensor.shape for tensor in file.main.tensors if tensor.data is None]
    elements = sum(math.prod(shape) for shape in computed) // batch
    wanted = min(max(ELEMENTS // max(elements, 1), SAMPLES[0]), SAMPLES[1])
    return math.ceil(wanted / batch) * batch


def layer_notes(files: list[dict[str, Any]]) -> list[str]:
    """One line for each file in which one layer stands out, or whose layers were not measured."""
    notes = []
    for file in files:
        found = file["layer_errors"]
        if found is None:
            continue
        if "reason" in found:
            notes.append(f"{file['name']}: error per layer not measured: {found['reason']}")
        elif found["outlier"] is not None:
            worst, others = found["layers"][0], found["layers"][1:]
            ratios = sorted(row["own_sqnr_db"] for row in others if row["own_sqnr_db"] is not None)
            notes.append(
                f"{file['name']}: layer {worst['layer']} has the most quantization noise of its "
                f"own: {worst['own_sqnr_db']:.1f} dB, the others {ratios[len(ratios) // 2]:.1f} dB "
                "(median)"
            )
    return notes
