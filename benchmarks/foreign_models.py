"""Models written with tf_keras, in each form of file that users have, read and compressed.

    SLIMLINE_DATA=… python benchmarks/foreign_models.py

A ResNet-8 and a DS-CNN (MLPerf Tiny's, on 28×28 images) are trained by tf_keras on 10,000 images of
Fashion-MNIST (seed 0) and saved as legacy `.h5`, as `.h5` with a configuration in the style of
Keras 2.4, and as `.keras`. Each file is read and answers 256 validation images; then one of them is
compressed by `slimline compress`. Writes foreign_models.json: largest difference of the answers of
each form, and accuracy and bytes of each exported file on the 10,000 test images, read once.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.record import LIBRARIES

RESULT = Path(__file__).resolve().parent / "foreign_models.json"
TRAINING, VALIDATION, LOOKED_AT, SEED = 10_000, 2_000, 256, 0
SHOWN = ("accuracy", "accuracy_interval", "size_bytes", "gzip_bytes", "sparsity", "macs")


def resnet_8(keras: Any) -> Any:
    """Three residual stacks of 16, 32 and 64 filters (Banbury et al. 2021)."""
    layers = keras.layers

    def convolve(x: Any, filters: int, size: int, strides: int, name: str) -> Any:
        x = layers.Conv2D(filters, size, strides, "same", use_bias=False, name=f"{name}_conv")(x)
        return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)

    inputs = keras.Input((28, 28, 1), name="image")
    x = layers.Activation("relu", name="stem_relu")(convolve(inputs, 16, 3, 1, "stem"))
    for stack, filters in enumerate((16, 32, 64), start=1):
        strides, name = (1, 2)[stack > 1], f"stack_{stack}"
        y = convolve(x, filters, 3, strides, f"{name}_a")
        y = layers.Activation("relu", name=f"{name}_a_relu")(y)
        y = convolve(y, filters, 3, 1, f"{name}_b")
        if stack > 1:
            x = layers.Conv2D(filters, 1, strides, "same", name=f"{name}_shortcut")(x)
        x = layers.Activation("relu", name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))
    x = layers.Flatten(name="flat")(layers.AveragePooling2D(7, name="pool")(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax", name="probs")(x))


def ds_cnn(keras: Any) -> Any:
    """Depthwise separable CNN, four blocks of 64 filters (Zhang et al. 2017)."""
    layers = keras.layers
    model = keras.Sequential([keras.Input((28, 28, 1), name="image")], name="ds_cnn")
    for layer in (
        layers.Conv2D(64, (10, 4), 2, "same", use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.Dropout(0.2),
    ):
        model.add(layer)
    for _ in range(4):
        model.add(layers.DepthwiseConv2D(3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.Conv2D(64, 1, use_bias=False))
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dense(10, activation="softmax"))
    return model


MODELS = {"resnet_8": (resnet_8, "2.4.h5"), "ds_cnn": (ds_cnn, "keras")}


def as_keras_2_4(path: Path, target: Path) -> None:
    """Writes a legacy file with its configuration as Keras 2.4 wrote it."""
    import h5py

    shutil.copyfile(path, target)
    with h5py.File(target, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(_older(config))
        file.attrs["keras_version"] = "2.4.0"
        file["model_weights"].attrs["keras_version"] = "2.4.0"


def _older(value: Any) -> Any:
    if isinstance(value, list):
        return [_older(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    # Objects were {"class_name", "config"}; axes of normalizations and poolings less told.
    old = {k: _older(v) for k, v in value.items() if k not in ("module", "registered_name")}
    old.pop("build_config", None)
    if old.get("class_name") == "BatchNormalization" and isinstance(old["config"]["axis"], int):
        old["config"]["axis"] = [old["config"]["axis"]]
    if str(old.get("class_name")).startswith("Global"):
        old["config"].pop("keepdims", None)
    return old


def train(name: str, x: np.ndarray, y: np.ndarray, epochs: int, folder: Path) -> dict[str, Any]:
    """Trains one model and saves it; returns form → file, and its answers to some samples."""
    from pipeline.bridge.start import import_tf_keras

    keras = import_tf_keras()
    keras.utils.set_random_seed(SEED)
    model = MODELS[name][0](keras)
    rate = keras.optimizers.schedules.CosineDecay(0.003, epochs * -(-len(x) // 64))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", ["accuracy"])
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=2)
    files = {form: folder / f"{name}.{form}" for form in ("h5", "2.4.h5", "keras")}
    model.save(files["h5"], save_format="h5")
    as_keras_2_4(files["h5"], files["2.4.h5"])
    model.save(files["keras"])
    return {"files": files, "predict": lambda samples: model.predict(samples, verbose=0)}


def measure(name: str, arrays: dict[str, np.ndarray], epochs: int, folder: Path) -> dict[str, Any]:
    """Trains, saves, reads each form, and compresses one."""
    import pipeline
    from pipeline.foreign.load import load_foreign

    trained = train(name, arrays["x_train"], arrays["y_train"], epochs, folder)
    looked_at = arrays["x_val"][:LOOKED_AT]
    expected = trained["predict"](looked_at)
    differences = {}
    for form, file in trained["files"].items():
        answers = np.asarray(load_foreign(file).model(looked_at, training=False))
        differences[form] = float(np.abs(answers - expected).max())
    data = folder / "data.npz"
    np.savez(data, **arrays)  # type: ignore[arg-type]
    compressed = trained["files"][MODELS[name][1]]
    found = pipeline.compress(compressed, data, name=name, artifacts=folder / "artifacts")
    return {
        "differences": differences,
        "compressed": compressed.name,
        "notes": list(found.notes),
        "files": {file: {key: row[key] for key in SHOWN} for file, row in found.figures.items()},
        "validation": {
            stage: found.run.metrics[stage]["validation"]["accuracy"] for stage in ("load", "prune")
        },
    }


def main() -> None:
    """Measures both models and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--epochs", type=int, default=8)
    chosen = parser.parse_args()
    from pipeline.runtime import start_tensorflow

    with np.load(Path(os.environ["SLIMLINE_DATA"]) / "fashion_mnist.npz") as source:
        order = np.random.default_rng(SEED).permutation(len(source["x_train"]))
        x = source["x_train"][order, ..., None].astype(np.float32) / 255
        y = source["y_train"][order].astype(np.int64)
        arrays = {
            "x_train": x[:TRAINING], "y_train": y[:TRAINING],
            "x_val": x[TRAINING : TRAINING + VALIDATION],
            "y_val": y[TRAINING : TRAINING + VALIDATION],
            "x_test": source["x_test"][..., None].astype(np.float32) / 255,
            "y_test": source["y_test"].astype(np.int64),
        }  # fmt: skip
    start_tensorflow(SEED)
    models = {}
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            models[name] = measure(name, arrays, chosen.epochs, Path(folder))
        print(json.dumps({name: models[name]}, indent=1), flush=True)
    write_json_atomic(
        RESULT,
        {
            "data": "Fashion-MNIST, 10,000 training, 2,000 validation, 10,000 test images",
            "seed": SEED,
            "epochs": chosen.epochs,
            "models": models,
            "host": describe_host(),
            "versions": library_versions(LIBRARIES),
        },
    )


if __name__ == "__main__":
    main()
