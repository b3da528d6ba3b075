from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.models.build import build_model
from pipeline.tasks.task import Task
from tests.models.text_models import text_config

TASK = Task("classification", 3, ("a", "b", "c"))


def build(input_shape: tuple[int, ...] = (6,), dtype: str = "int32", **options: Any) -> Any:
    config = text_config("text_lstm", embedding=4, units=5, **options)
    return build_model(config, input_shape, TASK, None, dtype, 11)


@pytest.mark.parametrize(("cell", "gates", "biases"), [("lstm", 4, 1), ("gru", 3, 2)])
def test_parameters_by_hand(cell: str, gates: int, biases: int) -> None:
    recurrent = gates * (4 * 5 + 5 * 5 + biases * 5)
    assert build(cell=cell).count_params() == 11 * 4 + recurrent + (5 * 3 + 3)


def test_options_act_where_they_should() -> None:
    model = build(dropout=0.5, spatial_dropout=0.25, recurrent_dropout=0.2, l1=0.1, l2=0.1)
    layer = model.get_layer("lstm")
    assert layer.recurrent_dropout == 0.2
    assert layer.kernel_regularizer is not None and layer.recurrent_regularizer is not None
    assert model.get_layer("lstm_dropout").rate == 0.5
    assert len(model.losses) == 3  # both kernels, logits


def test_the_order_of_words_counts_and_so_does_the_last_one_most() -> None:
    model = build()
    x = np.array([[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]], np.int32)
    outputs = np.asarray(model(x))
    assert np.abs(outputs[0] - outputs[1]).max() > 0


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [((6, 2), "int32", r"needs texts of \(length,\)"), ((6,), "float32", "takes token ids")],
)
def test_refusals(shape: tuple[int, ...], dtype: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(shape, dtype)


def test_states_of_all_words_can_be_pooled() -> None:
    import keras

    x = np.array([[1, 2, 3, 4, 5, 6]], np.int32)
    for pooling, reduce in (("max", np.max), ("average", np.mean)):
        model = build(pooling=pooling)
        states = keras.Model(model.input, model.get_layer("lstm").output)(x)
        pooled = keras.Model(model.input, model.get_layer("pool").output)(x)
        assert states.shape == (1, 6, 5)
        np.testing.assert_allclose(pooled, reduce(np.asarray(states), axis=1), atol=1e-6)


def test_masks_of_recurrent_dropout_are_among_what_a_checkpoint_holds() -> None:
    from pipeline.training.state import read_weights, write_weights

    model = build(recurrent_dropout=0.5)
    x = np.array([[1, 2, 3, 4, 5, 6]] * 8, np.int32)
    before = read_weights(model)
    first = np.asarray(model(x, training=True))
    write_weights(model, before)
    np.testing.assert_array_equal(np.asarray(model(x, training=True)), first)
    assert np.abs(np.asarray(model(x, training=True)) - first).max() > 0
