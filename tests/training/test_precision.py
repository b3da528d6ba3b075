"""Mixed precision: what computes in 16 bits, and that what is kept is float32."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.train import TrainConfig
from pipeline.data.prepared import PreparedData
from pipeline.progress import SilentProgress
from pipeline.training.evaluate import evaluate_model
from pipeline.training.fit import FitResult, fit
from pipeline.training.precision import computing_in, scale_losses


def policies(model: Any) -> dict[str, str]:
    return {layer.name: layer.dtype_policy.name for layer in model.layers}


def train(
    model: Any, data: PreparedData, precision: str, folder: Path, stop: int | None = None
) -> FitResult:
    config = TrainConfig(
        epochs=3,
        batch_size=25,
        optimizer=OptimizerConfig(name="sgd", learning_rate=0.05),
        mixed_precision=precision,
    )
    where = (folder / "work", folder / "output", SilentProgress())
    return fit(model, data, config, 3, *where, stop_epoch=stop)


def test_layers_compute_in_16_bits_for_a_while(build: Callable[..., Any]) -> None:
    import keras

    model = build()
    x = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    exact = model(x).numpy()
    with computing_in(model, "bfloat16"):
        found = policies(model)
        assert found.pop("logits") == "float32"
        assert set(found.values()) == {"mixed_bfloat16"}
        rounded = model(x).numpy()
    # The same as a model that was built under the policy.
    values, state = [w.numpy() for w in model.weights], keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = build()
        other.get_layer("logits").dtype_policy = "float32"
        other.set_weights(values)
        np.testing.assert_array_equal(other(x).numpy(), rounded)
    finally:
        keras.config.set_dtype_policy(state)
    assert set(policies(model).values()) == {"float32"}
    np.testing.assert_array_equal(model(x).numpy(), exact)
    assert 0 < np.abs(rounded - exact).max() < 0.1


def test_none_changes_nothing_and_errors_restore(build: Callable[..., Any]) -> None:
    model = build()
    with computing_in(model, "none"):
        assert set(policies(model).values()) == {"float32"}
    with pytest.raises(RuntimeError), computing_in(model, "float16"):
        raise RuntimeError
    assert set(policies(model).values()) == {"float32"}


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_it_trains_resumes_bit_for_bit_and_tells_float32_figures(
    precision: str, build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    whole, parts = build(), build()
    result = train(whole, data, precision, tmp_path / "whole")
    train(parts, data, precision, tmp_path / "parts", stop=1)
    train(parts, data, precision, tmp_path / "parts")
    for one, other in zip(whole.variables, parts.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert {str(weight.dtype) for weight in whole.weights} == {"float32"}
    assert set(policies(whole).values()) == {"float32"}
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    assert result.validation == evaluate_model(whole, data.validation, data.task)


def test_gradients_below_float16_survive_by_scaling() -> None:
    import keras
    import tensorflow as tf

    variable = keras.Variable(1.0)
    optimizer = scale_losses(keras.optimizers.SGD(1.0), "float16")
    optimizer.build([variable])
    tiny = tf.constant(1e-8)
    assert float(tf.cast(tiny, tf.float16)) == 0
    scaled = tf.cast(tf.cast(optimizer.scale_loss(tiny), tf.float16), tf.float32)
    optimizer.apply([scaled * 1e7], [variable])
    assert variable.numpy() == pytest.approx(0.9, abs=1e-2)
    optimizer.apply([tf.constant(np.inf)], [variable])  # skipped, and the scale is halved
    assert variable.numpy() == pytest.approx(0.9, abs=1e-2)
    assert float(optimizer.dynamic_scale) == 2.0**14


def test_bfloat16_needs_no_scaling() -> None:
    import keras

    optimizer = keras.optimizers.SGD(1.0)
    assert scale_losses(optimizer, "bfloat16") is optimizer
