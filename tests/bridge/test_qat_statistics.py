"""Moving statistics under emulated quantization: estimated, and kept where that is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.bridge import qat
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.graph import walk
from pipeline.bridge.qat_plan import plan_quantization
from pipeline.bridge.qat_ranges import set_ranges
from pipeline.bridge.qat_statistics import Statistics, choose_statistics, estimate_statistics
from pipeline.bridge.start import import_tf_keras
from pipeline.bridge.state import random_states

NAN = float("nan")


def network(frozen: bool = False, normalized: bool = True) -> Any:
    """With Dropout and two BatchNormalization, the second maybe frozen, of statistics far off."""
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    image = keras.Input((6, 6, 2), name="image")
    x = layers.Conv2D(4, 3, name="c1")(image)
    if normalized:
        x = layers.BatchNormalization(name="n1")(x)
    x = layers.Dropout(0.5, name="drop")(layers.ReLU(name="r1")(x))
    x = layers.Conv2D(4, 3, name="c2")(x)
    if normalized:
        x = layers.BatchNormalization(name="n2", trainable=not frozen)(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(image, layers.Dense(3, name="logits")(x))
    for name in ("n1", "n2") if normalized else ():
        model.get_layer(name).moving_mean.assign(np.full(4, 5.0))
    return model


def quantized(model: Any) -> tuple[Any, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(32, 6, 6, 2)).astype(np.float32)
    plain = to_tf_keras(model, 0)
    made = qat._quantize(plain, frozenset(plan_quantization(plain, walk(model))[0]))
    set_ranges(made, x)
    return made, x


def norm(model: Any, name: str) -> Any:
    return model.get_layer(f"quant_{name}").layer


def values(model: Any) -> list[np.ndarray]:
    return [variable.numpy() for variable in [*model.variables, *random_states(model)]]


def test_the_statistics_are_those_of_the_rounded_layer_before() -> None:
    model, x = quantized(network())
    estimate_statistics(model, x)
    before = import_tf_keras().Model(model.inputs, model.get_layer("quant_n1").input)
    given = before(x, training=False).numpy().reshape(-1, 4)
    found = norm(model, "n1")
    np.testing.assert_allclose(found.moving_mean.numpy(), given.mean(0), atol=1e-5)
    np.testing.assert_allclose(found.moving_variance.numpy(), given.var(0, ddof=1), rtol=1e-4)


def test_nothing_else_changes() -> None:
    model, x = quantized(network())
    statistics = [
        variable for name in ("n1", "n2")
        for variable in (norm(model, name).moving_mean, norm(model, name).moving_variance)
    ]  # fmt: skip
    before = values(model)
    estimate_statistics(model, x)
    changed = [
        variable
        for variable, value in zip(model.variables, before, strict=False)
        if not np.array_equal(variable.numpy(), value)
    ]
    assert {id(variable) for variable in changed} == {id(variable) for variable in statistics}
    for state, value in zip(random_states(model), before[len(model.variables) :], strict=True):
        np.testing.assert_array_equal(state.numpy(), value)
    assert norm(model, "n1").momentum == 0.99


def test_frozen_statistics_stay() -> None:
    model, x = quantized(network(frozen=True))
    chosen = choose_statistics(model, x, lambda: 1.0)
    assert chosen is not None and chosen.layers == 1
    assert norm(model, "n2").moving_mean.numpy().tolist() == [5.0] * 4


def test_a_model_without_normalization_has_none_to_choose() -> None:
    model, x = quantized(network(normalized=False))
    assert choose_statistics(model, x, lambda: pytest.fail("nothing to measure")) is None


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ((2.0, 1.0), Statistics(True, 2, 2.0, 1.0)),
        ((1.0, 2.0), Statistics(False, 2, 1.0, 2.0)),
        ((1.0, 1.0), Statistics(False, 2, 1.0, 1.0)),
        ((NAN, 1.0), Statistics(True, 2, None, 1.0)),
        ((1.0, NAN), Statistics(False, 2, 1.0, None)),
    ],
)
def test_the_lower_validation_loss_decides(
    losses: tuple[float, float], expected: Statistics
) -> None:
    model, x = quantized(network())
    before, answers = values(model), iter(losses)
    loss: Callable[[], float] = lambda: next(answers)  # noqa: E731
    assert choose_statistics(model, x, loss) == expected
    same = [np.array_equal(one, other) for one, other in zip(before, values(model), strict=True)]
    assert all(same) is not expected.estimated


def test_a_network_that_rounding_has_silenced_speaks_again() -> None:
    """Statistics far off stand for what many rounded layers do, as in ResNet152."""
    model, x = quantized(network())
    target = model(x, training=True).numpy()

    def loss() -> float:
        return float(np.mean((model(x, training=False).numpy() - target) ** 2))

    chosen = choose_statistics(model, x, loss)
    assert chosen is not None and chosen.estimated
    assert chosen.loss_of_estimated is not None and chosen.loss_of_float is not None
    assert chosen.loss_of_estimated < chosen.loss_of_float / 2
    assert loss() == pytest.approx(chosen.loss_of_estimated)
