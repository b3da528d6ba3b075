"""Task and kind of output, from the loss and the graph."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.foreign.compile_facts import CompileFacts
from pipeline.preflight.answers import read_answers


def facts(loss: str, from_logits: bool | None = None) -> CompileFacts:
    return CompileFacts(loss, from_logits, "adam", 0.01)


def model(activation: str | None, units: int = 3, inputs: int = 4) -> Any:
    import keras

    x = keras.Input((inputs,))
    return keras.Model(x, keras.layers.Dense(units, activation=activation)(x))


@pytest.mark.parametrize(
    ("activation", "units", "compiled", "task", "output"),
    [
        ("softmax", 3, facts("sparse_categorical_crossentropy"), "classification", "probabilities"),
        (None, 3, facts("categorical_crossentropy", True), "classification", "logits"),
        ("sigmoid", 1, facts("binary_crossentropy"), "binary", "probabilities"),
        ("sigmoid", 5, facts("binary_crossentropy"), "multi_label", "probabilities"),
        (None, 2, facts("mean_squared_error"), "regression", "numbers"),
        (None, 4, facts("mean_absolute_error"), "reconstruction", "numbers"),
        (None, 3, facts("my_own_loss"), None, "numbers"),
        (None, 3, None, None, "numbers"),
    ],
)
def test_what_the_loss_and_the_end_of_the_graph_tell(
    activation: str | None, units: int, compiled: CompileFacts | None, task: str | None, output: str
) -> None:
    found = read_answers(model(activation, units), compiled)
    assert (found.task, found.output) == (task, output)
    assert found.output_source and found.task_source


def test_labels_are_told_by_the_loss() -> None:
    assert read_answers(model(None), facts("sparse_categorical_crossentropy")).labels == "sparse"
    assert read_answers(model(None), facts("categorical_crossentropy")).labels == "one_hot"
    assert read_answers(model(None), None).labels is None


def test_the_data_go_before_the_loss() -> None:
    found = read_answers(model(None), None, "classification")
    assert (found.task, found.task_source) == ("classification", "data.task tells")
    assert (found.output, found.output_source) == ("logits", "it ends in no activation")


def test_a_subclassed_model_does_not_tell() -> None:
    import keras

    class Own(keras.Model):
        pass

    found = read_answers(Own(), facts("mean_squared_error"))
    assert (found.task, found.output, found.loss) == (None, "unknown", "mean_squared_error")
