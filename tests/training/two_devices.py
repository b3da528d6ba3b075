"""Run as a script: trains on one and on two logical CPU devices, and prints what differs.

In a process of its own, because devices are made before TensorFlow starts.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.optimizer import GradientClipping, OptimizerConfig
from pipeline.config.train import TrainConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.progress import SilentProgress
from pipeline.tasks.task import classification

OPTIMIZERS = {
    "sgd": OptimizerConfig(name="sgd", learning_rate=0.05, arguments={"momentum": 0.9}),
    "adam": OptimizerConfig(
        name="adam",
        learning_rate=0.01,
        gradient_clipping=GradientClipping(global_norm=0.5),
        gradient_accumulation_steps=2,
        use_ema=True,
    ),
}


def prepare() -> PreparedData:
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, 93)
    x = (rng.normal(size=(93, 6)) + np.eye(3, 6)[y] * 2.0).astype(np.float32)
    splits = {"train": Split(x[:73], y[:73]), "validation": Split(x[73:], y[73:])}
    return PreparedData(splits, classification(("a", "b", "c")), (6,), None, "sidecar")


def train(data: PreparedData, **options: Any) -> tuple[list[np.ndarray], float]:
    import keras

    from pipeline.training.fit import fit

    keras.utils.set_random_seed(7)
    inputs = keras.Input((6,), name="input")
    x = keras.layers.Dense(8, activation="relu", kernel_regularizer="l2")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))
    config = TrainConfig(epochs=2, batch_size=15, **options)
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder) / "work", Path(folder) / "output", SilentProgress()
        result = fit(model, data, config, 3, *where)
    return [weight.numpy() for weight in model.weights], result.history[-1]["loss"]


def main() -> None:
    from pipeline.runtime import start_tensorflow

    start_tensorflow(0)
    import tensorflow as tf

    from pipeline.training.devices import choose_devices, describe_devices

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    data, found = prepare(), {}
    for name, optimizer in OPTIMIZERS.items():
        one, two = (train(data, optimizer=optimizer, devices=n) for n in (1, "all"))
        weights = max(np.abs(a - b).max() for a, b in zip(one[0], two[0], strict=True))
        found[name] = {"weights": float(weights), "loss": abs(one[1] - two[1])}
    found["float16"] = train(
        data, optimizer=OPTIMIZERS["sgd"], devices=2, mixed_precision="float16"
    )[1]
    found["devices"], found["note"] = choose_devices("all"), describe_devices(2)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
