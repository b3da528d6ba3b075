"""The work of configs/digits.yaml as a plain script: the same Keras, keras-tuner and tfmot calls.

What a practitioner would write by hand, without checkpoints, proofs, verification or a report.
The two Kerases meet as they must: the pruned model is a tf_keras twin written out by hand.
Prints one JSON line: seconds, and the test accuracy and bytes of the int8 file.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time

STARTED = time.perf_counter()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import keras_tuner  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402

SEED = 0


def load() -> tuple[np.ndarray, ...]:
    x, y = load_digits(return_X_y=True)
    x = (x.reshape(-1, 8, 8, 1) / 16).astype(np.float32)
    rest_x, test_x, rest_y, test_y = train_test_split(
        x, y, test_size=0.2, stratify=y, random_state=SEED
    )
    train_x, val_x, train_y, val_y = train_test_split(
        rest_x, rest_y, test_size=0.1875, stratify=rest_y, random_state=SEED
    )
    return train_x, train_y, val_x, val_y, test_x, test_y


def build(library, dropout: float):
    layers = library.layers
    conv = {"padding": "same", "activation": "relu", "kernel_initializer": "he_normal"}
    return library.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(24, 3, name="conv_1", **conv),
            layers.MaxPooling2D(),
            layers.Conv2D(48, 3, **conv),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(96, activation="relu", kernel_initializer="he_normal"),
            layers.Dropout(dropout),
            layers.Dense(10, name="logits", kernel_initializer="he_normal"),
        ]
    )


def compile_model(library, model, rate: float, steps: int, warmup: int) -> None:
    schedule = library.optimizers.schedules.CosineDecay(
        0.0 if warmup else rate, steps - warmup, warmup_target=rate if warmup else None,
        warmup_steps=warmup,
    )  # fmt: skip
    model.compile(
        library.optimizers.Adam(schedule),
        library.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )


def train(model, data, rate: float, epochs: int, patience: int | None):
    train_x, train_y, val_x, val_y, *_ = data
    steps = -(-len(train_x) // 32)
    compile_model(keras, model, rate, epochs * steps, steps)
    stop = (
        [keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True)]
        if patience
        else []
    )
    return model.fit(
        train_x, train_y, batch_size=32, epochs=epochs, validation_data=(val_x, val_y),
        callbacks=stop, verbose=0,
    )  # fmt: skip


def tune(data) -> dict[str, float]:
    class Search(keras_tuner.RandomSearch):
        def run_trial(self, trial, *args, **kwargs):
            hp = trial.hyperparameters
            rate = hp.Float("rate", 5e-4, 1e-2, sampling="log")
            model = build(keras, hp.Float("dropout", 0, 0.5))
            return min(train(model, data, rate, 8, None).history["val_loss"])

    with tempfile.TemporaryDirectory() as folder:
        search = Search(
            objective=keras_tuner.Objective("default_objective", "min"), max_trials=4, seed=1,
            directory=folder,
        )  # fmt: skip
        search.search(verbose=0)
        best = search.get_best_hyperparameters()[0]
    return {"rate": best.get("rate"), "dropout": best.get("dropout")}


def prune(model, dropout: float, data):
    import tensorflow_model_optimization as tfmot

    train_x, train_y, val_x, val_y, *_ = data
    twin = build(tf_keras, dropout)
    twin.set_weights(model.get_weights())
    steps = 30 * -(-len(train_x) // 32)

    def wrap(layer):
        if layer.name == "conv_1" or not layer.weights:
            return layer
        final = 0.5 if layer.name == "logits" else 0.9
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            0.0, final, 0, round(steps * 0.6), frequency=10
        )
        return tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedule)

    pruned = tf_keras.models.clone_model(twin, clone_function=wrap)
    compile_model(tf_keras, pruned, 0.003, steps, 0)
    pruned.fit(
        train_x, train_y, batch_size=32, epochs=30, validation_data=(val_x, val_y), verbose=0,
        callbacks=[tfmot.sparsity.keras.UpdatePruningStep()],
    )  # fmt: skip
    stripped = tfmot.sparsity.keras.strip_pruning(pruned)
    model.set_weights(stripped.get_weights())
    return model


def convert(model, samples: np.ndarray | None) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False, input_signature=[tf.TensorSpec((1, 8, 8, 1))])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if samples is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([x[None]] for x in samples)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        return converter.convert()


def measure(file: bytes, x: np.ndarray, y: np.ndarray) -> float:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=file)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    scale, zero_point = source["quantization"]
    if source["dtype"] == np.int8:
        x = np.clip(np.round(x / scale) + zero_point, -128, 127).astype(np.int8)
    right = 0
    for sample, label in zip(x, y, strict=True):
        interpreter.set_tensor(source["index"], sample[None])
        interpreter.invoke()
        right += int(interpreter.get_tensor(target["index"]).argmax() == label)
    return right / len(y)


def main() -> None:
    keras.utils.set_random_seed(SEED)
    data = load()
    model = build(keras, 0.2)
    train(model, data, 0.002, 30, 10)
    best = tune(data)
    winner = build(keras, best["dropout"])
    train(winner, data, best["rate"], 30, 10)
    scores = [m.evaluate(data[2], data[3], verbose=0)[0] for m in (model, winner)]
    kept, dropout = (winner, best["dropout"]) if scores[1] < scores[0] else (model, 0.2)
    float_file = convert(kept, None)
    pruned = prune(kept, dropout, data)
    files = [float_file, convert(pruned, None), convert(pruned, data[0][:200])]
    accuracies = [measure(file, data[4], data[5]) for file in files]
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - STARTED,
                "accuracy": accuracies[-1],
                "size_bytes": len(files[-1]),
            }
        )
    )


if __name__ == "__main__":
    sys.exit(main())
