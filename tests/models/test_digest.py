from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.models.build import build_model
from pipeline.models.digest import model_digest, normalized_config
from pipeline.models.files import load_model, save_model
from tests.models.conftest import SMALL, model_config, task_of


def small_model(name: str = "mlp", **options: Any) -> Any:
    return build_model(model_config(name, **options), SMALL[name][1], task_of(name))


def test_equal_weights_and_structure_are_equal() -> None:
    first, second = small_model(dropout=0.5), small_model(dropout=0.5)
    assert model_digest(first) != model_digest(second)
    second.set_weights(first.get_weights())
    assert model_digest(first) == model_digest(second)


def test_smallest_change_of_a_weight_is_seen() -> None:
    model = small_model()
    before = model_digest(model)
    weights = model.get_weights()
    weights[0][0, 0] = np.nextafter(weights[0][0, 0], np.float32(9))
    model.set_weights(weights)
    assert model_digest(model) != before


@pytest.mark.parametrize("options", [{"activation": "tanh"}, {"dropout": 0.1}, {"l2": 0.1}])
def test_change_of_structure_is_seen(options: dict[str, Any]) -> None:
    first, second = small_model(), small_model(**options)
    second.set_weights(first.get_weights())
    assert model_digest(first) != model_digest(second)


def test_swapped_weights_of_one_shape_are_seen() -> None:
    model = small_model(units=(3, 3))
    before = model_digest(model)
    weights = model.get_weights()
    model.set_weights([*weights[:2], *weights[4:], *weights[2:4]])
    assert model_digest(model) != before


@pytest.mark.parametrize("name", sorted(SMALL))
def test_file_keeps_the_digest(name: str, tmp_path: Path) -> None:
    model = small_model(name, dropout=0.1, normalization="batch", l2=0.1)
    save_model(model, tmp_path / "model.keras")
    assert model_digest(load_model(tmp_path / "model.keras")) == model_digest(model)


def test_nested_model_keeps_the_digest(tmp_path: Path) -> None:
    import keras

    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="d")], name="inner")
    inputs = keras.Input((4,), name="input")
    model = keras.Model(inputs, keras.layers.Dense(4, name="d")(inner(inner(inputs))), name="m")
    save_model(model, tmp_path / "model.keras")
    assert model_digest(load_model(tmp_path / "model.keras")) == model_digest(model)


@pytest.mark.parametrize("built_early", [False, True])
def test_sequential_model_keeps_the_digest(built_early: bool, tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((4,))] if built_early else [], name="chain")
    model.add(keras.layers.Dense(3, name="a"))
    model.build((None, 4))
    save_model(model, tmp_path / "model.keras")
    assert model_digest(load_model(tmp_path / "model.keras")) == model_digest(model)


def test_keras_paths_of_one_model_differ_after_loading(tmp_path: Path) -> None:
    """The fault that our own paths are for: when this fails, weight.path would do."""
    import keras

    model = keras.Sequential([keras.layers.Dense(3, name="a")], name="chain")
    model.build((None, 4))
    save_model(model, tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert [w.path for w in loaded.weights] != [w.path for w in model.weights]


def test_compiling_training_state_and_dropout_draws_do_not_count() -> None:
    model = small_model(dropout=0.5)
    before = model_digest(model)
    model.compile(optimizer="adam", loss="mse")
    model(np.ones((2, 4), np.float32), training=True)  # advances the dropout's seed state
    assert model_digest(model) == before


def test_config_is_canonical() -> None:
    text = normalized_config(small_model())
    assert text == normalized_config(small_model())
    assert "compile_config" not in text and "build_config" not in text
