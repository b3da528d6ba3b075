"""Dropout rates in a fine-tuning of either Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.fit import fine_tune
from pipeline.bridge.start import import_tf_keras, import_tfmot
from pipeline.config.train import FineTuneConfig, TrainConfig
from pipeline.data.prepared import PreparedData
from pipeline.progress import SilentProgress
from pipeline.training.dropout import dropping_less
from pipeline.training.fit import fit

X = np.random.default_rng(0).normal(size=(64, 6, 8)).astype(np.float32)


def every_kind() -> Any:
    """A model with each way to drop that a rate stands for; the Keras 3 attention too."""
    import keras

    layers = keras.layers
    keras.utils.set_random_seed(0)
    source = keras.Input((6, 8))
    x = layers.SpatialDropout1D(0.3)(source)
    x = layers.LSTM(8, dropout=0.3, recurrent_dropout=0.3, return_sequences=True)(x)
    x = layers.Bidirectional(layers.GRU(4, dropout=0.3, return_sequences=True))(x)
    x = layers.MultiHeadAttention(2, 4, dropout=0.3)(x, x)
    x = layers.AlphaDropout(0.3)(layers.GaussianDropout(0.3)(keras.ops.abs(x) * 2))
    return keras.Model(source, layers.Dense(3)(layers.Dropout(0.3)(layers.Flatten()(x))))


@pytest.mark.parametrize("crossed", [False, True])
def test_nothing_is_dropped_inside_and_the_rates_come_back(crossed: bool) -> None:
    model = to_tf_keras(every_kind(), 0) if crossed else every_kind()
    quiet = np.asarray(model(X, training=False))
    with dropping_less(model, 0.0):
        np.testing.assert_allclose(np.asarray(model(X, training=True)), quiet, atol=1e-6)
    assert np.abs(np.asarray(model(X, training=True)) - quiet).max() > 0.01


def test_a_wrapped_layer_is_reached() -> None:
    """tfmot's pruning wraps Dropout too when it is given a whole model."""
    tf_keras = import_tf_keras()
    layers = [tf_keras.layers.Dropout(0.4, input_shape=(8,)), tf_keras.layers.Dense(2)]
    model = import_tfmot().sparsity.keras.prune_low_magnitude(tf_keras.Sequential(layers))
    with dropping_less(model, 0.5):
        assert layers[0].rate == pytest.approx(0.2)
    assert layers[0].rate == 0.4


def with_dropout(shape: tuple[int, ...], rate: float) -> Any:
    import keras

    layers = keras.layers
    last = layers.Dense(3, kernel_initializer=keras.initializers.GlorotUniform(seed=3))
    return keras.Sequential([keras.Input(shape), layers.Dropout(rate), last])


@pytest.mark.parametrize("behind_the_bridge", [False, True])
def test_a_training_without_dropout_is_that_of_a_model_without(
    behind_the_bridge: bool, data: PreparedData, tmp_path: Path
) -> None:
    """Half the rate is neither all of it nor none."""

    def train(rate: float, factor: float) -> np.ndarray:
        model = with_dropout(data.input_shape, rate)
        where = (tmp_path / f"{rate} {factor}", tmp_path, SilentProgress())
        values = {"epochs": 2, "batch_size": 25, "dropout_factor": factor}
        if behind_the_bridge:
            crossed: Any = to_tf_keras(model, 0)
            fine_tune(crossed, data, FineTuneConfig(**values), 3, *where, "prune")
            return np.asarray(crossed.layers[-1].get_weights()[0])
        fit(model, data, TrainConfig(**values), 3, *where)
        return np.asarray(model.layers[-1].get_weights()[0])

    without = train(0.4, 0.0)
    assert np.array_equal(without, train(0.0, 1.0))
    assert len({train(0.4, factor).tobytes() for factor in (0.0, 0.5, 1.0)}) == 3
