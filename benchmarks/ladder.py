"""Which rung of `quantize.method: auto` keeps a promise that plain int8 breaks.

    SLIMLINE_DATA=… python benchmarks/ladder.py

- `trained`: a DS-CNN (32 filters, three blocks), 10,000 images of Fashion-MNIST, 12 epochs, seed 0.
- `outliers`: the same function with outlier channels, as trained networks have them (Nagel et al.,
  ICCV 2019): behind each ReLU four channels are multiplied by 50, and the kernel that reads them
  is divided by it.
- `autoencoder`: configs/autoencoder.yaml without pruning, whose error may rise by 0.5 %.

Losses are on validation data (5,000 images; 179 digits), the shipped file's figure on test data.
Writes ladder.json. About five minutes on two free cores.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import pipeline
from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.errors import PromiseError
from pipeline.quantization.quality import LOSSES
from pipeline.record import LIBRARIES

RESULT = Path(__file__).resolve().parent / "ladder.json"
TRAINING, VALIDATION, SEED = 10_000, 5_000, 0
OUTLIERS, FACTOR = 4, 50.0
PROMISES = {"trained": 0.005, "outliers": 0.005}
INCREASE = 0.005
AUTOENCODER = Path(__file__).resolve().parent.parent / "configs" / "autoencoder.yaml"
SHOWN = ("name", "accuracy", "accuracy_interval", "mse", "mse_interval", "size_bytes", "gzip_bytes")
TRAIN = {
    "epochs": 12,
    "batch_size": 64,
    "optimizer": {"name": "adam", "learning_rate": 0.003},
    "schedule": {"kind": "cosine"},
}
QAT = {
    "epochs": 6,
    "batch_size": 64,
    "optimizer": {"name": "adam", "learning_rate": 0.0003},
    "schedule": {"kind": "cosine"},
    "distillation": {},
}


def data_section() -> dict[str, Any]:
    path = Path(os.environ["SLIMLINE_DATA"]) / "fashion_mnist.npz"
    return {
        "source": "keras:fashion_mnist", "path": str(path), "max_train_samples": TRAINING,
        "validation_fraction": VALIDATION / 60_000,
    }  # fmt: skip


def train_network(folder: Path) -> Path:
    """Trains the DS-CNN; an earlier run of this very training is taken."""
    values = {
        "run": {"name": "ds_cnn", "seed": SEED},
        "data": data_section(),
        "model": {"architecture": "ds_cnn", "filters": 32, "blocks": 3, "normalization": "batch"},
        "train": TRAIN,
        "stages": ["train"],
    }
    run = pipeline.run(values, artifacts=folder)
    return run.stages["train"].path / "model.keras"


def add_outliers(model: Any) -> None:
    """Multiplies four channels behind each ReLU, and divides what reads them: the same function."""
    import keras

    rng = np.random.default_rng(SEED)
    convolutions = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    for norm, after in zip(model.layers, model.layers[1:], strict=False):
        if not isinstance(norm, keras.layers.BatchNormalization):
            continue
        place = model.layers.index(after)
        readers = [layer for layer in model.layers[place:] if isinstance(layer, convolutions)]
        if not readers:
            return
        reader = readers[0]
        factors = np.ones(norm.gamma.shape[0], np.float32)
        factors[rng.choice(len(factors), OUTLIERS, replace=False)] = FACTOR
        norm.gamma.assign(norm.gamma * factors)
        norm.beta.assign(norm.beta * factors)
        reader.kernel.assign(reader.kernel / factors[:, None])


def climb(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Runs a configuration; returns the promise, every rung, and the files' test figures."""
    name = values["run"]["name"]
    try:
        run = pipeline.run(values, artifacts=folder)
    except PromiseError as error:
        kept = json.loads((folder / name / "failed" / "quantize" / "ladder.json").read_text())
        return {**kept, "error": str(error).replace(str(folder), "artifacts")}
    files = run.metrics["evaluate"]["files"]
    shown = [{key: file[key] for key in SHOWN if key in file} for file in files]
    return {**run.metrics["quantize"]["ladder"], "test": shown}


def climb_with_network(model: Path, name: str, folder: Path) -> dict[str, Any]:
    """Quantizes a DS-CNN by method auto."""
    values = {
        "run": {"name": name, "seed": SEED},
        "data": {**data_section(), "preprocessing": {"kind": "rescale"}},
        "model": {"path": str(model)},
        "quantize": {"method": "auto", "max_accuracy_drop": PROMISES[name], "qat": QAT},
        "stages": ["quantize", "export", "evaluate"],
    }
    return climb(values, folder)


def climb_with_autoencoder(folder: Path) -> dict[str, Any]:
    """Trains the autoencoder, and quantizes it by method auto."""
    values = yaml.safe_load(AUTOENCODER.read_text(encoding="utf-8"))
    values["run"] = {"name": "autoencoder", "seed": SEED}
    values["quantize"] |= {"method": "auto", "max_error_increase": INCREASE}
    del values["prune"]
    values["stages"] = ["train", "quantize", "export", "evaluate"]
    return climb(values, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "slimline-ladder"
    )
    folder = parser.parse_args().work
    trained = train_network(folder)
    import keras

    model = keras.models.load_model(trained)
    samples = np.random.default_rng(SEED).random((64, *model.input_shape[1:]), dtype=np.float32)
    before = model.predict(samples, verbose=0)
    add_outliers(model)
    difference = float(np.abs(model.predict(samples, verbose=0) - before).max() / before.std())
    model.save(folder / "outliers.keras")
    rows = {
        "trained": climb_with_network(trained, "trained", folder),
        "outliers": climb_with_network(folder / "outliers.keras", "outliers", folder),
        "autoencoder": climb_with_autoencoder(folder),
    }
    result = {
        "samples": {"training": TRAINING, "validation": VALIDATION},
        "seed": SEED,
        "same_function": difference,
        "runs": rows,
        "host": describe_host(),
        "versions": library_versions(LIBRARIES),
    }
    write_json_atomic(RESULT, result)
    for name, row in rows.items():
        print(name, row["promise"], row.get("error", ""))
        for rung in row["rungs"]:
            lost = [f"{rung[key]:.4f}" for key in LOSSES if key in rung]
            print("   ", rung["tried"], *lost, rung.get("size_bytes"), f"{rung['seconds']:.1f} s")


if __name__ == "__main__":
    main()
