"""Loss and metric of a whole split, in NumPy and float64: what is reported of any file."""

from __future__ import annotations

import math

import numpy as np

from pipeline.compression.statistics import Z_95, accuracy_interval
from pipeline.errors import DataError
from pipeline.tasks.losses import SMALLEST
from pipeline.tasks.task import Task


def measure(task: Task, outputs: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Measures outputs against the answers.

    Args:
        task: what the model was asked to do.
        outputs: (n, k), or (n, *input_shape) for reconstruction; any float dtype.
        y: the split's answers; see PreparedData. For parity the float model's outputs.

    Returns:
        {"loss", task.metric, "samples"}: means over the samples.

    Raises:
        DataError: no samples, or shapes that do not fit.
    """
    _require_shapes(task, outputs, y)
    return {
        "loss": float(sample_losses(task, outputs, y).mean()),
        task.metric: float(sample_scores(task, outputs, y).mean()),
        "samples": len(y),
    }


def sample_losses(task: Task, outputs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns float64 (n,): the loss of each sample; formulae in tasks/losses.py."""
    values = _flat(as_logits(task, outputs))
    if task.name == "classification":
        return _log_sum_exp(values) - values[np.arange(len(values)), y]
    targets = _flat(y)
    if task.name in ("binary", "multi_label"):
        # log(1 + e^z) − t·z, in the form that overflows for no z
        errors = np.maximum(values, 0) - values * targets + np.log1p(np.exp(-np.abs(values)))
    else:
        errors = np.square(values - targets)
    return np.asarray(errors.mean(axis=1))


def sample_scores(task: Task, outputs: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Returns float64 (n,): the metric of each sample.

    1 or 0 (right or wrong) where the task has labels; the fraction of right labels for
    multi_label; the mean absolute error in the unit of the source for regression; the mean
    squared error for reconstruction; the mean absolute difference from the float model's outputs
    for parity.
    """
    if task.has_labels:
        return (predicted_labels(task, outputs) == y).astype(np.float64)
    values, targets = _flat(as_logits(task, outputs)), _flat(y)
    if task.name == "multi_label":
        return np.asarray(((values > 0) == (targets > 0.5)).mean(axis=1))
    if task.name == "regression":
        return np.asarray((np.abs(values - targets) * np.asarray(task.target_scale)).mean(axis=1))
    if task.name == "parity":
        return np.asarray(np.abs(values - targets).mean(axis=1))
    return np.asarray(np.square(values - targets).mean(axis=1))


def predicted_labels(task: Task, outputs: np.ndarray) -> np.ndarray:
    """Returns int64 (n,): the class that each row of outputs (n, k) or (n, 1) stands for."""
    if task.name == "binary":
        return (as_logits(task, outputs)[:, 0] > 0).astype(np.int64)
    return outputs.argmax(axis=1).astype(np.int64)


def as_logits(task: Task, outputs: np.ndarray) -> np.ndarray:
    """Returns logits for a task with classes or labels; what tasks/losses.py does, in NumPy.

    Args:
        task: tells whether the outputs are probabilities.
        outputs: (n, k); returned as they are where they are no probabilities.
    """
    if not task.probabilities or task.name not in ("classification", "binary", "multi_label"):
        return outputs
    p = np.clip(np.asarray(outputs, np.float64), SMALLEST, 1.0 - SMALLEST)
    return np.asarray(np.log(p) if task.name == "classification" else np.log(p / (1.0 - p)))


def answer_agreement(task: Task, reference: np.ndarray, outputs: np.ndarray) -> float | None:
    """Returns the fraction of equal answers of two models, in [0, 1].

    Classes, or single labels of multi_label; for parity the largest of several probabilities.
    None for tasks whose answers are numbers.

    Args:
        task: what both were asked to do.
        reference: outputs of the one, (n, k), n ≥ 1.
        outputs: those of the other, on the same samples.
    """
    if task.has_labels:
        same = predicted_labels(task, reference) == predicted_labels(task, outputs)
    elif task.name == "multi_label":
        same = (as_logits(task, reference) > 0) == (as_logits(task, outputs) > 0)
    elif task.name == "parity" and task.probabilities and _flat(reference).shape[1] > 1:
        same = _flat(reference).argmax(axis=1) == _flat(outputs).argmax(axis=1)
    else:
        return None
    return float(same.mean())


def metric_interval(task: Task, scores: np.ndarray) -> tuple[float, float]:
    """Returns the 95 % interval of the metric over samples drawn as these were.

    Wilson's interval where a score is 0 or 1; mean ± 1.96 · s / √n otherwise.

    Args:
        task: what was measured.
        scores: float64 (n,), from `sample_scores`, n ≥ 1.
    """
    if task.has_labels:
        return accuracy_interval(int(scores.sum()), len(scores))
    low, high = mean_interval(scores)
    # Neither an accuracy nor an error is below 0, nor an accuracy above 1.
    return max(low, 0.0), min(high, 1.0) if task.higher_is_better else high


def mean_interval(values: np.ndarray) -> tuple[float, float]:
    """Returns mean ± 1.96 · s / √n of float (n,), n ≥ 1; one value has no spread."""
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    half = Z_95 * spread / math.sqrt(len(values))
    return mean - half, mean + half


def _require_shapes(task: Task, outputs: np.ndarray, y: np.ndarray) -> None:
    columns = _flat(outputs).shape[1] if len(outputs) else 0
    expected = task.outputs or columns  # what a model of the task parity gives, only it knows
    if len(outputs) != len(y) or columns != expected or columns == 0:
        raise DataError(
            f"outputs of shape {outputs.shape} for {len(y)} samples; the task {task.name} "
            f"expects ({len(y)}, {task.outputs}) with at least one sample"
        )


def _log_sum_exp(values: np.ndarray) -> np.ndarray:
    highest = values.max(axis=1)
    return np.asarray(highest + np.log(np.exp(values - highest[:, None]).sum(axis=1)))


def _flat(values: np.ndarray) -> np.ndarray:
    return np.asarray(values, np.float64).reshape(len(values), -1)
