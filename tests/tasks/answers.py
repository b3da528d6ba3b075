"""Outputs and answers of each task, with what is right to say about them, computed by hand."""

from __future__ import annotations

import math

import numpy as np

from pipeline.tasks.task import Task, classification

LN3 = math.log(3)
# softmax(0, ln 3) = (1/4, 3/4); sigmoid(ln 3) = 3/4.
CASES = {
    "classification": (
        classification(("a", "b")),
        np.array([[0.0, LN3], [0.0, LN3]], np.float32),
        np.array([1, 0]),
        [-math.log(0.75), -math.log(0.25)],
        [1.0, 0.0],
    ),
    "binary": (
        Task("binary", 1, ("no", "yes")),
        np.array([[LN3], [LN3], [-LN3]], np.float32),
        np.array([1, 0, 0]),
        [-math.log(0.75), -math.log(0.25), -math.log(0.75)],
        [1.0, 0.0, 1.0],
    ),
    "multi_label": (
        Task("multi_label", 2, ("cat", "dog")),
        np.array([[LN3, LN3], [-LN3, LN3]], np.float32),
        np.array([[1, 0], [0, 1]], np.float32),
        [-(math.log(0.75) + math.log(0.25)) / 2, -math.log(0.75)],
        [0.5, 1.0],
    ),
    "regression": (
        Task("regression", 2, ("length", "weight"), (10.0, 2.0), (5.0, 0.0)),
        np.array([[1.0, 0.0], [0.0, 3.0]], np.float32),
        np.array([[0.0, 0.0], [0.0, 1.0]], np.float32),
        [0.5, 2.0],
        [5.0, 2.0],
    ),
    "classification, probabilities": (
        Task("classification", 2, ("a", "b"), probabilities=True),
        np.array([[0.25, 0.75], [1.0, 0.0]], np.float32),
        np.array([1, 1]),
        [-math.log(0.75), -math.log(1e-7)],
        [1.0, 0.0],
    ),
    "binary, probabilities": (
        Task("binary", 1, ("no", "yes"), probabilities=True),
        np.array([[0.75], [0.75], [0.25]], np.float32),
        np.array([1, 0, 0]),
        [-math.log(0.75), -math.log(0.25), -math.log(0.75)],
        [1.0, 0.0, 1.0],
    ),
    "multi_label, probabilities": (
        Task("multi_label", 2, ("cat", "dog"), probabilities=True),
        np.array([[0.75, 0.75], [0.25, 0.75]], np.float32),
        np.array([[1, 0], [0, 1]], np.float32),
        [-(math.log(0.75) + math.log(0.25)) / 2, -math.log(0.75)],
        [0.5, 1.0],
    ),
    "reconstruction": (
        Task("reconstruction", 4),
        np.array([[[1.0, 1.0], [1.0, 3.0]]], np.float32),
        np.array([[[1.0, 1.0], [1.0, 1.0]]], np.float32),
        [1.0],
        [1.0],
    ),
}
