"""The JSON beside each `.tflite`: everything a program needs to feed it and read its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import ArtifactError
from pipeline.tflite.interpreter import load

FORMAT = 1
QUANTIZE_RULE = (
    "stored = clip(round_half_to_even(real / scale) + zero_point, lowest, highest of dtype)"
)
DEQUANTIZE_RULE = "real = (stored - zero_point) * scale"
PREPROCESSING_RULE = "real = raw * scale + offset"


def describe_file(
    path: Path,
    class_names: Sequence[str],
    preprocessing: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Describes a file for those who run it.

    The way from raw input to answer: raw → preprocessing (if "placement" is "sidecar"; "model"
    says that the file does it itself) → quantization (if the input has a scale) → invoke →
    dequantization → logits, whose softmax are probabilities and whose arg max is the label.

    Args:
        path: the file; it is loaded and its digest taken.
        class_names: label of each output, in order.
        preprocessing: {"scale", "offset", "placement"}; x' = x · scale + offset, each a number or
            a list with one per last axis; placement "sidecar" (the program applies it) or
            "model" (the file applies it). None: raw input as it is.

    Returns:
        The sidecar's content, ready for JSON.

    Raises:
        ArtifactError: the file does not run, or has another number of outputs than labels.
    """
    interpreter = load(path)
    classes = interpreter.outputs[0].shape[-1]
    if classes != len(class_names):
        raise ArtifactError(f"{path}: {classes} outputs for {len(class_names)} class names")
    applied = None
    if preprocessing is not None:
        applied = {
            "scale": preprocessing["scale"],
            "offset": preprocessing["offset"],
            "placement": preprocessing["placement"],
            "rule": PREPROCESSING_RULE,
        }
    return {
        "format": FORMAT,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "labels": list(class_names),
        "output_kind": "logits",
        "batch": interpreter.batch,
        "inputs": [description.to_json() for description in interpreter.inputs],
        "outputs": [description.to_json() for description in interpreter.outputs],
        "preprocessing": applied,
        "quantize": QUANTIZE_RULE,
        "dequantize": DEQUANTIZE_RULE,
    }
