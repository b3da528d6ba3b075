"""The JSON beside each `.tflite`: everything a program needs to feed it and read its answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from pipeline.errors import ArtifactError
from pipeline.tasks.task import Task
from pipeline.tflite.interpreter import load

FORMAT = 2
QUANTIZE_RULE = (
    "stored = clip(round_half_to_even(real / scale) + zero_point, lowest, highest of dtype); "
    "without a scale: stored = real"
)
DEQUANTIZE_RULE = "real = (stored - zero_point) * scale; without a scale: real = stored"
PREPROCESSING_RULE = "real = raw * scale + offset"
# Task → what the outputs are, and what they are where the model ends in a softmax or sigmoid;
# docs/sidecar.md tells how each one is read.
OUTPUT_KINDS = {
    "classification": ("logits", "probabilities"),
    "binary": ("logit", "probability"),
    "multi_label": ("label_logits", "label_probabilities"),
    "regression": ("values", "values"),
    "reconstruction": ("reconstruction", "reconstruction"),
    "parity": ("numbers", "numbers"),
}


def describe_file(
    path: Path,
    task: Task,
    preprocessing: Mapping[str, Any] | None,
    encoding: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describes a file for those who run it.

    The way from raw input to answer: raw → encoding (rows, texts or images to numbers) →
    preprocessing (if "placement" is "sidecar"; "model" says that the file does it itself) →
    quantization (if the input has a scale) → invoke → dequantization → outputs, which
    "output_kind" tells how to read.

    Args:
        path: the file; it is loaded and its digest taken.
        task: what the model is asked to do.
        preprocessing: {"scale", "offset", "placement"}; x' = x · scale + offset, each a number or
            a list with one per last axis; placement "sidecar" (the program applies it) or
            "model" (the file applies it). None: raw input as it is.
        encoding: how raw input becomes numbers, of kind "table", "text", "images" or "tokens";
            None for arrays.

    Returns:
        The sidecar's content, ready for JSON.

    Raises:
        ArtifactError: the file does not run, or has another number of outputs than the task.
    """
    interpreter = load(path)
    outputs = prod(interpreter.outputs[0].shape[1:])
    if task.outputs not in (0, outputs):
        raise ArtifactError(
            f"{path}: {outputs} outputs, expected {task.outputs} for task {task.name}"
        )
    applied = None
    if preprocessing is not None:
        applied = {
            "scale": preprocessing["scale"],
            "offset": preprocessing["offset"],
            "placement": preprocessing["placement"],
            "rule": PREPROCESSING_RULE,
        }
    targets = None
    if task.name == "regression":
        targets = {"scale": list(task.target_scale), "offset": list(task.target_offset)}
    return {
        "format": FORMAT,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "task": task.name,
        "labels": list(task.class_names),
        "output_kind": OUTPUT_KINDS[task.name][task.probabilities],
        "targets": targets,
        "batch": interpreter.batch,
        "inputs": [description.to_json() for description in interpreter.inputs],
        "outputs": [description.to_json() for description in interpreter.outputs],
        "encoding": None if encoding is None else dict(encoding),
        "preprocessing": applied,
        "quantize": QUANTIZE_RULE,
        "dequantize": DEQUANTIZE_RULE,
    }
