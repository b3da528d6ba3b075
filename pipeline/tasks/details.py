"""What a single figure hides: confusions, recalls, errors of other kinds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pipeline.compression.statistics import compare
from pipeline.tasks.measure import answer_agreement, as_logits, predicted_labels
from pipeline.tasks.task import Task

# A larger table is no reading matter, and k² numbers in a manifest.
LARGEST_CONFUSION = 100


def details(task: Task, outputs: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Describes how outputs differ from the answers, by task.

    Args:
        task: what the model was asked to do.
        outputs: (n, k), or (n, *input_shape) for reconstruction; n ≥ 1.
        y: the split's answers; see PreparedData.

    Returns:
        classification, binary: confusion (k × k counts, a row per true class; None above 100
            classes), recall and precision per class (None where a class does not occur), and
            for binary auc.
        multi_label: f1_micro, exact_match, and precision, recall, f1 of each label.
        regression: rmse in the unit of the source, r2.
        reconstruction: psnr in dB, against the largest value of the inputs.
        parity: relative_difference (mean, as a part of the outputs' spread) and agreement (see
            measure.answer_agreement).
    """
    if task.name == "multi_label":
        return _label_details(task, outputs, y)
    if task.name == "regression":
        return _regression_details(task, outputs, y)
    if task.name == "reconstruction":
        return _reconstruction_details(outputs, y)
    if task.name == "parity":
        return _parity_details(task, outputs, y)
    found = _class_details(task, outputs, y)
    return {**found, "auc": area_under_curve(outputs[:, 0], y)} if task.name == "binary" else found


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts int64 (classes, classes): rows are true classes, columns predicted ones."""
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def area_under_curve(logits: np.ndarray, y: np.ndarray) -> float | None:
    """The area under the ROC curve: the chance that a positive outranks a negative, ties half.

    By ranks (Mann and Whitney 1947). None when one of the classes does not occur.

    Args:
        logits: (n,).
        y: (n,) in {0, 1}.
    """
    _, inverse, counts = np.unique(logits, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[inverse]  # ranks from 1; ties share their mean
    positives = int(y.sum())
    negatives = len(y) - positives
    if positives == 0 or negatives == 0:
        return None
    above = float(ranks[y == 1].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def _class_details(task: Task, outputs: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    classes = len(task.class_names)
    matrix = confusion_matrix(y, predicted_labels(task, outputs), classes)
    hits = np.diag(matrix)
    return {
        "confusion": matrix.tolist() if classes <= LARGEST_CONFUSION else None,
        "recall": _ratios(hits, matrix.sum(axis=1)),
        "precision": _ratios(hits, matrix.sum(axis=0)),
    }


def _label_details(task: Task, outputs: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    given, truth = as_logits(task, outputs) > 0, y > 0.5
    hits, said, true = (given & truth).sum(axis=0), given.sum(axis=0), truth.sum(axis=0)
    columns = zip(
        task.class_names,
        _ratios(hits, said),
        _ratios(hits, true),
        _ratios(2 * hits, said + true),
        strict=True,
    )
    return {
        "f1_micro": _ratio(2 * int(hits.sum()), int(said.sum() + true.sum())),
        "exact_match": float((given == truth).all(axis=1).mean()),
        "labels": [
            {"label": name, "precision": precision, "recall": recall, "f1": f1}
            for name, precision, recall, f1 in columns
        ],
    }


def _regression_details(task: Task, outputs: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    errors = np.asarray(outputs, np.float64) - y
    scale = np.asarray(task.target_scale)
    spread = np.square(y - y.mean(axis=0)).sum()
    return {
        "rmse": math.sqrt(float(np.square(errors * scale).mean())),
        "r2": None if spread == 0 else 1.0 - float(np.square(errors).sum() / spread),
    }


def _reconstruction_details(outputs: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """PSNR = 10 · log10(peak² / MSE)."""
    error = float(np.square(np.asarray(outputs, np.float64) - y).mean())
    peak = float(np.abs(y).max())
    return {"psnr": None if error == 0 or peak == 0 else 10 * math.log10(peak * peak / error)}


def _parity_details(task: Task, outputs: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    compared = compare(y, outputs).to_json()
    return {
        "relative_difference": compared["mean_difference"],
        "agreement": answer_agreement(task, y, outputs),
    }


def _ratios(parts: np.ndarray, wholes: np.ndarray) -> list[float | None]:
    return [_ratio(int(part), int(whole)) for part, whole in zip(parts, wholes, strict=True)]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
