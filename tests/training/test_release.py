"""What a training held is given back, and what still lives differentiates as before."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.fit import fine_tune
from pipeline.config.train import FineTuneConfig, TrainConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.progress import SilentProgress
from pipeline.runtime import import_tensorflow
from pipeline.tasks.task import classification
from pipeline.training.fit import fit
from pipeline.training.release import release_memory
from tests.conftest import ROOT


def registered() -> set[str]:
    from tensorflow.python.framework import ops

    return set(ops.gradient_registry._registry)


def data() -> PreparedData:
    x = np.random.default_rng(0).normal(size=(8, 5)).astype(np.float32)
    split = Split(x, np.arange(8) % 3)
    return PreparedData(
        {"train": split, "validation": split}, classification(("a", "b", "c")), (5,)
    )


def train(crosses: bool, folder: Path) -> None:
    """Trains a network of its own."""
    import keras

    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(4, "silu"), keras.layers.Dense(3)]
    )
    where = (0, folder / "work", folder / "output", SilentProgress())
    if not crosses:
        fit(model, data(), TrainConfig(epochs=1), *where)
    else:
        fine_tune(to_tf_keras(model), data(), FineTuneConfig(epochs=1), *where, "prune")


@pytest.mark.parametrize("crosses", [False, True], ids=["Keras 3", "tf_keras"])
def test_a_finished_training_is_let_go(crosses: bool, tmp_path: Path) -> None:
    import_tensorflow()
    release_memory()  # of other tests
    before = registered()
    train(crosses, tmp_path)
    gc.collect()
    assert registered() > before, "TensorFlow lets go by itself: gc.collect() is enough by now"
    release_memory()
    assert registered() == before, "a graph lives"


def test_what_lives_is_differentiated_as_before() -> None:
    import_tensorflow()
    import tensorflow as tf

    @tf.function
    def activate(x: tf.Tensor) -> tf.Tensor:
        return tf.nn.silu(x)

    x = tf.constant([0.5, -2.0])
    activate(x)  # traced, and no gradient asked for yet
    for _ in range(2):
        release_memory()
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = activate(x)
    sigmoid = 1 / (1 + np.exp(-x.numpy()))
    expected = sigmoid * (1 + x.numpy() * (1 - sigmoid))
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-6)


def test_tensorflow_is_not_started_for_it() -> None:
    code = (
        "import sys; from pipeline.training.release import release_memory; release_memory(); "
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
