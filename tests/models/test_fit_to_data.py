from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.models.fit_to_data import check_fits, fix_input, last_activation, output_form
from pipeline.runtime import start_tensorflow
from pipeline.tasks.task import Task, classification

THREE = classification(("a", "b", "c"))
BINARY = Task("binary", 1, ("no", "yes"))


@pytest.fixture(autouse=True, scope="module")
def _tensorflow() -> None:
    start_tensorflow(0)


def dense(outputs: int = 3, activation: Any = None, shape: tuple[Any, ...] = (4,)) -> Any:
    import keras

    x = inputs = keras.Input(shape, name="given")
    if len(shape) > 1:
        x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 1)(x))
    return keras.Model(inputs, keras.layers.Dense(outputs, activation=activation, name="last")(x))


def test_a_model_that_fits_is_accepted() -> None:
    check_fits(dense(), (4,), "float32", THREE)
    check_fits(dense(1), (4,), "float32", BINARY)
    check_fits(dense(shape=(None, None, 3)), (8, 8, 3), "float32", THREE)
    check_fits(dense(7), (4,), "float32", Task("parity", 0))


@pytest.mark.parametrize(
    ("outputs", "shape", "dtype", "task", "message"),
    [
        (3, (5,), "float32", THREE, r"takes samples of shape \(4,\), data.source gives \(5,\)"),
        (3, (4, 1), "float32", THREE, r"gives \(4, 1\); reshape the data"),
        (3, (4,), "int32", THREE, "takes numbers, .* set data.preprocessing.kind: none"),
        (1, (4,), "float32", THREE, r"gives \(1,\) numbers .* for one output set data.task: bin"),
        (2, (4,), "float32", BINARY, "for two outputs set data.task: classification"),
    ],
)
def test_what_does_not_fit_is_told_with_what_to_do(
    outputs: int, shape: tuple[int, ...], dtype: str, task: Task, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        check_fits(dense(outputs), shape, dtype, task)


def test_several_inputs_or_outputs_are_refused_by_name() -> None:
    import keras

    a, b = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = keras.Model([a, b], keras.layers.Add()([a, b]))
    with pytest.raises(ConfigError, match=r"2 inputs \(left, right\), expected one"):
        check_fits(both, (4,), "float32", THREE)


def test_ids_enter_an_embedding_as_integers() -> None:
    import keras

    inputs = keras.Input((6,))
    x = keras.layers.Flatten()(keras.layers.Embedding(9, 2)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3)(x))
    with pytest.raises(ConfigError, match=r"looks up ids, .* set data.preprocessing.kind: tokens"):
        check_fits(model, (6,), "float32", THREE)
    check_fits(model, (6,), "int32", THREE)
    fixed = fix_input(model, (6,), "int32")
    assert fixed.inputs[0].dtype == "int32"
    ids = np.array([[1, 2, 3, 4, 5, 8]], np.int32)
    np.testing.assert_array_equal(fixed(ids), model(ids.astype(np.float32)))


def test_open_sides_of_an_input_are_closed_and_all_else_is_kept() -> None:
    model = dense(shape=(None, None, 3))
    fixed = fix_input(model, (8, 8, 3), "float32")
    assert fixed.inputs[0].shape == (None, 8, 8, 3)
    assert [layer.name for layer in fixed.layers] == [layer.name for layer in model.layers]
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_array_equal(fixed(x), model(x))
    assert fix_input(fixed, (8, 8, 3), "float32") is fixed


@pytest.mark.parametrize(
    ("activation", "form", "reason"),
    [
        ("softmax", "probabilities", "it ends in softmax"),
        (None, "logits", "it ends in no activation"),
        ("relu", "logits", "it ends in relu"),
    ],
)
def test_the_last_activation_tells_the_form(activation: Any, form: str, reason: str) -> None:
    x = np.zeros((2, 4), np.float32)
    assert output_form(dense(3, activation), x, THREE) == (form, reason)
    assert output_form(dense(3, activation), x, Task("regression", 3)) is None


def test_the_last_activation_is_found_behind_other_layers() -> None:
    import keras

    layers = keras.layers
    inputs = keras.Input((4,))
    for end in (
        [layers.Dense(3, activation="sigmoid"), layers.Reshape((3,))],
        [layers.Dense(3), layers.Activation("sigmoid"), layers.Dropout(0.1)],
        [keras.Sequential([layers.Dense(3), layers.Activation("sigmoid")])],
        [layers.Dense(3), keras.ops.sigmoid],
    ):
        x = inputs
        for layer in end:
            x = layer(x)
        assert last_activation(keras.Model(inputs, x)) == "sigmoid"


def test_where_the_graph_hides_it_the_answers_tell() -> None:
    import keras

    inputs = keras.Input((4,))
    x = keras.ops.exp(keras.layers.Dense(3)(inputs))
    summed = keras.Model(inputs, x / keras.ops.sum(x, axis=-1, keepdims=True))
    samples = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    assert output_form(summed, samples, THREE) == (
        "probabilities", "so its answers to 9 samples tell",
    )  # fmt: skip
    shifted = keras.Model(inputs, x * 3.0)
    assert output_form(shifted, samples, THREE) == ("logits", "so its answers to 9 samples tell")
