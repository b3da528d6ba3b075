"""A student takes what its teacher takes and answers as it answers."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np

from pipeline.config.load import validate
from pipeline.data.prepared import PreparedData
from pipeline.data.preprocessing import Affine
from pipeline.models.student import build_student
from pipeline.runtime import start_tensorflow
from pipeline.tasks.task import Task, classification

start_tensorflow(0)
MLP = validate({"model": {"architecture": "mlp", "units": [4]}}).model
DATA = PreparedData({}, classification(("a", "b", "c")), (4, 4, 1), None, "sidecar")
X = np.linspace(0, 255, 32, dtype=np.float32).reshape(2, 4, 4, 1)


def build(data: PreparedData) -> Any:
    import keras

    keras.utils.set_random_seed(2)
    return build_student(MLP, data, Affine(1 / 255, 0.0))


def test_probabilities_where_the_teacher_gives_them() -> None:
    logits = np.asarray(build(DATA)(X))
    for task, expected in (
        (DATA.task, np.exp(logits) / np.exp(logits).sum(1, keepdims=True)),
        (Task("multi_label", 3, ("a", "b", "c")), 1 / (1 + np.exp(-logits))),
        (Task("regression", 3, ("a", "b", "c"), (1.0,) * 3, (0.0,) * 3), logits),
    ):
        told = dataclasses.replace(task, probabilities=True)
        model = build(dataclasses.replace(DATA, task=told))
        with warnings.catch_warnings(action="error"):  # a list of one input would not be one input
            np.testing.assert_allclose(model(X), expected, rtol=1e-5)
        assert model.name == "mlp"
