"""Models in memory: the given one stays as it is, the returned one is its equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError, UntrustedModelError
from pipeline.foreign.live import from_live
from tests.foreign.foreign_models import (
    MODELS,
    assert_same_outputs,
    cnn,
    frozen,
    library,
    with_signal,
)


# A Keras 3 model is copied by Keras itself; of tf_keras each kind is rebuilt.
@pytest.mark.parametrize(
    ("name", "model_name"), [("keras", "operators"), *[("tf_keras", name) for name in MODELS]]
)
def test_a_model_of_either_library(name: str, model_name: str) -> None:
    theirs = with_signal(MODELS[model_name](library(name)))
    found = from_live(theirs)
    assert found.origin.startswith("live Keras 3" if name == "keras" else "live tf_keras 2")
    assert not found.model.compiled
    assert_same_outputs(found.model, theirs)


def test_the_given_model_is_not_the_returned_one() -> None:
    import keras

    theirs = with_signal(cnn(keras))
    theirs.compile("sgd", keras.losses.MeanSquaredError())
    found = from_live(theirs)
    before = theirs.get_weights()
    found.model.set_weights([np.zeros(w.shape) for w in found.model.weights])
    for kept, wanted in zip(theirs.get_weights(), before, strict=True):
        np.testing.assert_array_equal(kept, wanted)
    assert theirs.compiled and found.compiled is not None
    assert found.compiled.loss == "mean_squared_error" and found.compiled.optimizer == "sgd"


def test_compile_facts_of_tf_keras() -> None:
    k = library("tf_keras")
    theirs = cnn(k)
    theirs.compile(k.optimizers.SGD(0.25), k.losses.SparseCategoricalCrossentropy(from_logits=True))
    found = from_live(theirs).compiled
    assert found is not None
    assert found.loss == "sparse_categorical_crossentropy" and found.from_logits is True
    assert found.optimizer == "sgd" and found.learning_rate == 0.25


def test_frozen_layers_stay_frozen() -> None:
    for name in ("keras", "tf_keras"):
        found = from_live(frozen(library(name))).model
        assert len(found.trainable_weights) == 8


def subclassed(k: Any) -> Any:
    class Net(k.Model):  # type: ignore[misc, name-defined]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.dense = k.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    return Net()


def test_what_cannot_be_taken() -> None:
    import keras

    with pytest.raises(ConfigError, match=r"a builtins\.int, expected a Keras 3 or tf_keras model"):
        from_live(3)
    with pytest.raises(ConfigError, match="is not built; call it once on data"):
        from_live(keras.Sequential([keras.layers.Dense(2)]))
    theirs = subclassed(library("tf_keras"))
    theirs(np.zeros((1, 3), "float32"))
    with pytest.raises(UntrustedModelError, match=r"\(Net\) is a subclassed tf_keras model"):
        from_live(theirs)
    broken = cnn(library("tf_keras"))
    broken.layers[0].kernel.assign(np.full(broken.layers[0].kernel.shape, np.nan))
    with pytest.raises(ConfigError, match=r"'c1/kernel:0' of layer 'c1' holds values that are not"):
        from_live(broken)


def test_a_subclassed_keras_3_model() -> None:
    """Its class is in memory: it can be made again from its config."""
    import keras

    theirs = subclassed(keras)
    data = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    wanted = np.asarray(theirs(data))
    np.testing.assert_allclose(np.asarray(from_live(theirs).model(data)), wanted, atol=1e-6)


def test_a_class_that_cannot_be_made_again() -> None:
    import keras

    class Needy(keras.Model):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.dense = keras.layers.Dense(units)

        def call(self, x: Any) -> Any:
            return self.dense(x)

        def get_config(self) -> dict[str, Any]:
            return {}

    theirs = Needy(2)
    theirs(np.zeros((1, 3), "float32"))
    with pytest.raises(ConfigError, match=r"\(Needy\) cannot be copied .*; a class of your"):
        from_live(theirs)
