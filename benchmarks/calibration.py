"""How many representative samples are enough, and what ranges, bias correction and equalization do.

    SLIMLINE_DATA=… python benchmarks/calibration.py

Trains five small networks (seed 0) and makes int8 files of them: with 10 to 1,000 representative
samples, and with each way to calibrate and repair. Every file is measured on validation samples:
accuracy lost against the float model, and the signal-to-quantization-noise ratio (SQNR) of the
logits. Each figure is the mean over draws of the representative samples from the training split,
with the smallest and the largest. The test split is not read. Writes calibration.json and prints
the tables of docs/calibration.md.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.record import LIBRARIES

RESULT = Path(__file__).resolve().parent / "calibration.json"
SEED, DRAWS, SAMPLES = 0, 3, 200
COUNTS = (10, 50, 200, 1000)
# Of Fashion-MNIST's 60,000 training images.
TRAINING, VALIDATION = 10_000, 3_000
REPAIRS: dict[str, dict[str, Any]] = {
    "min_max": {},
    "percentile 99.99": {"ranges": "percentile", "percentile": 99.99},
    "percentile 99.9": {"ranges": "percentile", "percentile": 99.9},
    "mse": {"ranges": "mse"},
    "bias correction": {"bias_correction": True},
    "equalization": {"equalize": True},
    "mse, bias correction": {"ranges": "mse", "bias_correction": True},
    "all three": {"ranges": "mse", "bias_correction": True, "equalize": True},
}


@dataclass(frozen=True)
class Network:
    """A network to train.

    Attributes:
        data: digits or fashion_mnist.
        model: the section `model`.
        epochs: of Adam.
        dense_scales: of its int8 files.
    """

    data: str
    model: dict[str, Any]
    epochs: int
    dense_scales: str = "per_channel"


NETWORKS = {
    "small_cnn, digits": Network("digits", {"architecture": "small_cnn", "units": 96}, 30),
    "ds_cnn, Fashion-MNIST": Network("fashion_mnist", {"architecture": "ds_cnn"}, 4),
    "resnet_8, Fashion-MNIST": Network("fashion_mnist", {"architecture": "resnet_8"}, 3),
    "lenet_300_100, one scale per kernel": Network(
        "fashion_mnist", {"architecture": "lenet_300_100"}, 6, "per_tensor"
    ),
}
COUNTED = ("small_cnn, digits", "ds_cnn, Fashion-MNIST")


@dataclass(frozen=True)
class Subject:
    """A trained network, what calibrates its files, and what they are held to."""

    model: Any
    x_train: np.ndarray
    y_train: np.ndarray
    x: np.ndarray
    y: np.ndarray
    logits: np.ndarray
    dense_scales: str

    @property
    def accuracy(self) -> float:
        """Of the float model on validation samples."""
        return float((self.logits.argmax(axis=1) == self.y).mean())


def load_arrays(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns images in [0, 1] and labels in a fixed random order."""
    if name == "digits":
        from sklearn.datasets import load_digits

        bundled = load_digits()
        images, labels = bundled.images / 16, bundled.target
    else:
        with np.load(Path(os.environ["SLIMLINE_DATA"]) / f"{name}.npz") as source:
            images, labels = source["x_train"] / 255, source["y_train"]
    order = np.random.default_rng(SEED).permutation(len(images))[: TRAINING + VALIDATION]
    return images[order, ..., None].astype(np.float32), labels[order].astype(np.int64)


def train(network: Network) -> Subject:
    """Trains a network; a quarter of the digits, or 3,000 images, validate."""
    import keras

    from pipeline.config.load import validate
    from pipeline.models.build import build_model
    from pipeline.tasks.task import classification

    x, y = load_arrays(network.data)
    if network.model["architecture"] == "lenet_300_100":
        x = x.reshape(len(x), -1)
    cut = len(x) - min(VALIDATION, len(x) // 4)
    keras.utils.set_random_seed(SEED)
    task = classification(tuple("0123456789"))
    model = build_model(validate({"model": network.model}).model, x.shape[1:], task)
    rate = keras.optimizers.schedules.CosineDecay(0.003, network.epochs * -(-cut // 64))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(x[:cut], y[:cut], batch_size=64, epochs=network.epochs, verbose=0)
    return hold(model, x[:cut], y[:cut], x[cut:], y[cut:], network.dense_scales)


def hold(model: Any, *arrays: Any) -> Subject:
    """Returns a subject with the float model's logits on its validation samples."""
    from pipeline.models.predict import predict_outputs

    x_train, y_train, x, y, dense_scales = arrays
    return Subject(model, x_train, y_train, x, y, predict_outputs(model, x), dense_scales)


def make_uneven(subject: Subject) -> Subject:
    """Returns the same function with channels of ranges that differ e^±1.5-fold.

    What equalization undoes, put there by hand: each channel between two layers is multiplied by
    a factor, log-normal, and divided by it in the next layer.
    """
    import keras

    from pipeline.bridge.equalization import Equalization, new_values
    from pipeline.bridge.equalization_pairs import find_pairs

    model = keras.models.clone_model(subject.model)
    model.set_weights(subject.model.get_weights())
    found, generator = find_pairs(model), np.random.default_rng(SEED)
    factors = [np.exp(generator.normal(size=pair.channels) * 1.5) for pair in found.pairs]
    for variable, value in Equalization(tuple(new_values(found, factors)), (), {}, 1.0).values:
        variable.assign(value)
    return hold(model, subject.x_train, subject.y_train, subject.x, subject.y, subject.dense_scales)


def add_faults(subject: Subject) -> Subject:
    """Returns training samples of which one in a hundred has a pixel 20 times too bright."""
    x, generator = subject.x_train.copy(), np.random.default_rng(SEED)
    rows = generator.choice(len(x), len(x) // 100, replace=False)
    x.reshape(len(x), -1)[rows, generator.integers(0, x[0].size, len(rows))] = 20.0
    return Subject(
        subject.model,
        x,
        subject.y_train,
        subject.x,
        subject.y,
        subject.logits,
        subject.dense_scales,
    )


@contextmanager
def saved(subject: Subject) -> Iterator[dict[bool, Path]]:
    """Yields SavedModels of the model as it is (False) and equalized (True)."""
    from pipeline.bridge.conversion import save_for_conversion
    from pipeline.bridge.equalization import equalize, prove_equal

    equalization = equalize(subject.model)
    prove_equal(subject.model, equalization, subject.x[:64])
    with tempfile.TemporaryDirectory() as folder:
        paths = {False: Path(folder) / "plain", True: Path(folder) / "equalized"}
        save_for_conversion(subject.model, paths[False])
        with equalization.applied():
            save_for_conversion(subject.model, paths[True])
        yield paths


def measure(
    subject: Subject, paths: dict[bool, Path], worker: Any, count: int, repair: dict[str, Any]
) -> dict[str, Any]:
    """Makes one int8 file per draw; returns their figures."""
    from pipeline.compression.signal_noise import ErrorPower
    from pipeline.data.prepared import Split
    from pipeline.data.representative import choose_representative
    from pipeline.tasks.task import classification
    from pipeline.tflite.conversion_request import ConversionRequest
    from pipeline.tflite.convert import convert
    from pipeline.tflite.interpreter import load

    options = {name: value for name, value in repair.items() if name != "equalize"}
    request = ConversionRequest("file", "int8", "float32", subject.dense_scales, **options)  # type: ignore[arg-type]
    split, task = Split(subject.x_train, subject.y_train), classification(tuple("0123456789"))
    drops, ratios = [], []
    for draw in range(DRAWS):
        chosen = choose_representative(split, task, count, draw)
        source = paths[repair.get("equalize", False)]
        with tempfile.TemporaryDirectory() as folder:
            made = convert(source, [request], subject.x_train[chosen], Path(folder), worker)
            logits = load(made["file"]).predict(subject.x)
        drops.append(subject.accuracy - float((logits.argmax(axis=1) == subject.y).mean()))
        power = ErrorPower()
        power.add(subject.logits, logits)
        ratios.append(power.sqnr_db)
    return {"accuracy_drop": drops, "sqnr_db": ratios}


def make_tables(result: dict[str, Any]) -> str:
    """Returns the tables of docs/calibration.md, in Markdown."""
    parts = []
    for kind in ("representative_samples", "repairs"):
        for figure, title in (("sqnr_db", "SQNR, dB"), ("accuracy_drop", "points lost")):
            rows = result[kind]
            columns = list(next(iter(rows.values())))
            lines = [f"| {title} | " + " | ".join(columns) + " |"]
            lines.append("|---" * (len(columns) + 1) + "|")
            for name, cells in rows.items():
                words = [_describe(cells[column][figure], figure) for column in columns]
                lines.append(f"| {name} | " + " | ".join(words) + " |")
            parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _describe(values: list[float], figure: str) -> str:
    """Mean over the draws (smallest to largest)."""
    if figure == "sqnr_db":
        return f"{np.mean(values):.1f} ({min(values):.1f}–{max(values):.1f})"
    points = [100 * value for value in values]
    return f"{np.mean(points):+.2f} ({min(points):+.2f} to {max(points):+.2f})"


def main() -> None:
    """Measures, writes and prints."""
    from pipeline.runtime import start_tensorflow
    from pipeline.tflite.worker import ConversionWorker

    started = time.monotonic()
    start_tensorflow(SEED)
    variants: dict[str, Callable[[dict[str, Subject]], Subject]] = {
        "ds_cnn, uneven channels": lambda done: make_uneven(done["ds_cnn, Fashion-MNIST"]),
        "small_cnn, faulty pixels": lambda done: add_faults(done["small_cnn, digits"]),
    }
    subjects = {name: train(network) for name, network in NETWORKS.items()}
    subjects |= {name: make(subjects) for name, make in variants.items()}
    counts: dict[str, Any] = {}
    repairs: dict[str, Any] = {}
    with ConversionWorker() as worker:
        for name, subject in subjects.items():
            with saved(subject) as paths:
                if name in COUNTED:
                    counts[name] = {
                        str(count): measure(subject, paths, worker, count, {}) for count in COUNTS
                    }
                repairs[name] = {
                    label: measure(subject, paths, worker, SAMPLES, repair)
                    for label, repair in REPAIRS.items()
                }
    result = {
        "seed": SEED,
        "draws": DRAWS,
        "split": "validation",
        "float_accuracy": {name: subject.accuracy for name, subject in subjects.items()},
        "validation_samples": {name: len(subject.y) for name, subject in subjects.items()},
        "representative_samples": counts,
        "repairs": repairs,
        "seconds": round(time.monotonic() - started),
        "host": describe_host(),
        "versions": library_versions(LIBRARIES),
    }
    write_json_atomic(RESULT, result)
    print(make_tables(result))


if __name__ == "__main__":
    main()
