"""Task and kind of output, from the loss and the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from pipeline.preflight.answers import loss_kind, read_answers


@dataclass
class Facts:
    loss: str | None
    from_logits: bool | None = None


def model(activation: str | None, units: int = 3, inputs: int = 4) -> Any:
    import keras

    x = keras.Input((inputs,))
    return keras.Model(x, keras.layers.Dense(units, activation=activation)(x))


@pytest.mark.parametrize(
    ("activation", "units", "facts", "task", "output"),
    [
        ("softmax", 3, Facts("sparse_categorical_crossentropy"), "classification", "probabilities"),
        (None, 3, Facts("CategoricalCrossentropy", True), "classification", "logits"),
        ("sigmoid", 1, Facts("binary_crossentropy"), "binary", "probabilities"),
        ("sigmoid", 5, Facts("binary_crossentropy"), "multi_label", "probabilities"),
        (None, 2, Facts("mse"), "regression", "numbers"),
        (None, 4, Facts("mean_absolute_error"), "reconstruction", "numbers"),
        (None, 3, Facts("my_own_loss"), None, "numbers"),
        (None, 3, None, None, "numbers"),
    ],
)
def test_what_the_loss_and_the_end_of_the_graph_tell(
    activation: str | None, units: int, facts: Facts | None, task: str | None, output: str
) -> None:
    found = read_answers(model(activation, units), facts)
    assert (found.task, found.output) == (task, output)
    assert found.source


def test_labels_are_told_by_the_loss() -> None:
    sparse, one_hot = (
        loss_kind("SparseCategoricalCrossentropy"),
        loss_kind("categorical_crossentropy"),
    )
    assert sparse is not None and sparse.labels == "sparse"
    assert one_hot is not None and one_hot.labels == "one_hot"


def test_a_subclassed_model_does_not_tell() -> None:
    import keras

    class Own(keras.Model):
        pass

    found = read_answers(Own(), Facts("mse"))
    assert (found.task, found.output, found.loss) == (None, "unknown", "mse")
