"""From raw input to answers: encode, preprocess, quantize, run, dequantize, interpret."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import ArtifactError
from pipeline.prediction.raw_samples import read_samples
from pipeline.prediction.sidecar_file import check_tensors, read_sidecar
from pipeline.tflite.interpreter import Interpreter, TensorDescription, load
from pipeline.tflite.run_model import interpret, preprocess

# Of the values of the input; a few are normal where ranges were taken from a part of the data.
TELL_SATURATION = 0.01


@dataclass(frozen=True)
class Prediction:
    """What a file answered.

    Attributes:
        file: the model.
        sidecar: its checked sidecar.
        outputs: float32 (n, …), dequantized.
        answers: one dict per sample: sample, input, and by task label, score and top; labels and
            top; values; error.
        notes: what the user should know.
    """

    file: Path
    sidecar: dict[str, Any]
    outputs: np.ndarray
    answers: list[dict[str, Any]]
    notes: tuple[str, ...]


def predict(model: Path, inputs: Sequence[str], top: int = 3, threads: int = 1) -> Prediction:
    """Runs a shipped file on raw input.

    Args:
        model: the `.tflite` file, its sidecar beside it.
        inputs: files, or texts for a model of texts; at least one.
        top: how many labels to tell of each sample, at least 1.
        threads: of the interpreter.

    Raises:
        ArtifactError: file and sidecar do not fit each other, or the file does not run.
        DataError: an input cannot be read or does not fit.
    """
    sidecar = read_sidecar(model)
    interpreter = load(model, threads)
    check_tensors(model, sidecar, interpreter)
    raw = read_samples(inputs, sidecar)
    values = model_values(raw.x, sidecar)
    outputs = _run(model, interpreter, values)
    answers = [
        {"sample": number, "input": source, **answer}
        for number, (source, answer) in enumerate(
            zip(raw.sources, answer_all(outputs, raw.x, sidecar, top), strict=True)
        )
    ]
    notes = (*raw.notes, *saturation_notes(values, interpreter.inputs[0]))
    return Prediction(model, sidecar, outputs, answers, notes)


def model_values(samples: np.ndarray, sidecar: Mapping[str, Any]) -> np.ndarray:
    """Returns what the input means, before quantization: float32, or integers for token ids."""
    tensor = sidecar["inputs"][0]
    if tensor["scale"] is None and np.dtype(tensor["dtype"]).kind in "iu":
        return samples
    return preprocess(samples, dict(sidecar))


def answer_all(
    outputs: np.ndarray, samples: np.ndarray, sidecar: Mapping[str, Any], top: int
) -> list[dict[str, Any]]:
    """Reads the outputs as the task means them; adds the `top` labels where there are labels.

    Returns:
        Per sample what run_model.py's `interpret` gives, with "top": [{"label", "score"}, …], the
        most probable first.
    """
    answers = interpret(outputs, samples, dict(sidecar))
    scores = label_scores(outputs, sidecar["output_kind"])
    if scores is None:
        return answers
    best = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    labels = sidecar["labels"]
    return [
        {
            **answer,
            "top": [{"label": labels[place], "score": float(row[place])} for place in order],
        }
        for answer, row, order in zip(answers, scores, best, strict=True)
    ]


def label_scores(outputs: np.ndarray, kind: str) -> np.ndarray | None:
    """Returns the probability of each label, float64 (n, labels); None without labels."""
    z = np.asarray(outputs, np.float64)
    if kind == "logits":
        scores = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(scores / scores.sum(axis=1, keepdims=True))
    if kind in ("logit", "label_logits"):
        scores = 0.5 * (1.0 + np.tanh(0.5 * z))  # the logistic function, without overflow
    elif kind in ("probabilities", "probability", "label_probabilities"):
        scores = z
    else:
        return None
    two = kind in ("logit", "probability")
    return np.concatenate([1.0 - scores, scores], axis=1) if two else scores


def saturation_notes(values: np.ndarray, tensor: TensorDescription) -> tuple[str, ...]:
    """Tells when the input is not in the unit that the file was quantized for."""
    if tensor.scale is None or tensor.zero_point is None:
        return ()
    limits = np.iinfo(tensor.dtype)
    low = (limits.min - tensor.zero_point) * tensor.scale
    high = (limits.max - tensor.zero_point) * tensor.scale
    outside = float(np.mean((values < low - tensor.scale) | (values > high + tensor.scale)))
    if outside <= TELL_SATURATION:
        return ()
    return (
        f"{outside:.0%} of the input's values lie outside {low:.3g} to {high:.3g}, all that this "
        "file can represent, and were cut off; give raw values in the unit of the training data",
    )


def _run(model: Path, interpreter: Interpreter, values: np.ndarray) -> np.ndarray:
    try:
        return interpreter.predict(values)
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise ArtifactError(f"{model}: LiteRT fails to run it: {reason}") from error
