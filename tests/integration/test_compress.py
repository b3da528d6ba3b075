"""Models of one's own, from the file or from memory to the compressed one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pipeline
from pipeline.errors import ConfigError, PromiseError
from pipeline.runtime import start_tensorflow
from pipeline.tflite.interpreter import load
from tests.integration.conftest import slimline, write_config

MODULE = """
import keras

@keras.saving.register_keras_serializable("mine")
class Doubled(keras.layers.Layer):
    def call(self, x):
        return x * 2.0

@keras.saving.register_keras_serializable("mine")
class Coded(keras.Model):
    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.hidden, self.last = keras.layers.Dense(8, "relu"), keras.layers.Dense(2)

    def call(self, x):
        return self.last(self.hidden(x))
"""


def samples(count: int = 300) -> dict[str, np.ndarray]:
    x = np.random.default_rng(1).normal(size=(count, 8)).astype(np.float32)
    return {"x": x, "y": (x[:, 0] > x[:, 1]).astype(np.int64)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mine.keras (softmax, compiled), data.npz and samples.npy."""
    start_tensorflow(0)
    import keras

    place = tmp_path_factory.mktemp("mine")
    given = samples()
    model = trained(keras)
    model.save(place / "mine.keras")
    np.savez(place / "data.npz", **given)  # type: ignore[arg-type]
    np.save(place / "samples.npy", given["x"])
    return place


def trained(keras: Any) -> Any:
    """A small classifier in Keras 3 or tf_keras, with a batch normalization in it."""
    keras.utils.set_random_seed(0)
    layers, given = keras.layers, samples()
    x = inputs = keras.Input((8,), name="features")
    x = layers.Dense(16, name="hidden")(x)
    x = layers.ReLU(name="act")(layers.BatchNormalization(momentum=0.8, name="norm")(x))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax", name="probs")(x))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.01
    model.fit(given["x"], given["y"], epochs=12, verbose=0)
    return model


def test_a_file_and_data_become_a_small_file_and_a_small_model(folder: Path) -> None:
    import keras

    model, data = folder / "mine.keras", folder / "data.npz"
    found = pipeline.compress(model, data, epochs=3, sparsity=0.6, artifacts=folder / "artifacts")
    original = keras.saving.load_model(model)
    assert type(found.model) is type(original)
    assert [layer.name for layer in found.model.layers] == [one.name for one in original.layers]
    kernels = [layer.kernel.numpy().ravel() for layer in found.model.layers
               if hasattr(layer, "kernel")]  # fmt: skip
    weights = np.concatenate(kernels)
    assert np.mean(weights == 0) == pytest.approx(0.6, abs=1 / weights.size)
    figures = found.figures
    assert figures["int8"]["accuracy"] > 0.85
    assert found.tflite == (found.run.folder / "export" / "int8.tflite").read_bytes()
    sidecar = json.loads((found.run.folder / "export" / "int8.json").read_text())
    assert (sidecar["output_kind"], sidecar["inputs"][0]["dtype"]) == ("probabilities", "int8")
    assert any("its loss is sparse_categorical_crossentropy" in note for note in found.notes)
    again = pipeline.run(found.recipe, artifacts=folder / "artifacts")
    assert all(stage.cached for stage in again.stages.values())


@pytest.mark.parametrize("library", ["keras", "tf_keras"])
def test_a_live_model_and_arrays(library: str, tmp_path: Path) -> None:
    from pipeline.bridge.start import import_tf_keras
    from pipeline.tasks.measure import measure
    from pipeline.tasks.task import Task

    start_tensorflow(0)
    import keras

    given = samples()
    model = trained(import_tf_keras() if library == "tf_keras" else keras)
    task = Task("classification", 2, ("0", "1"), probabilities=True)
    before = measure(task, np.asarray(model(given["x"])), given["y"])["accuracy"]
    found = pipeline.compress(
        model, (given["x"], given["y"]), sparsity=0, name="live", artifacts=tmp_path
    )
    assert isinstance(found.model, keras.Model)
    after = measure(task, np.asarray(found.model(given["x"])), given["y"])["accuracy"]
    assert before == after > 0.85
    assert list(found.figures) == ["float", "int8"]


def test_samples_without_answers_are_judged_by_parity(folder: Path) -> None:
    done = slimline(
        "compress", "mine.keras", "--calibration", "samples.npy", "--name", "bare", "--json",
        cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert Path(result["recipe"]) == Path("artifacts/bare/recipe.yaml")
    metrics = {stage["stage"]: stage["metrics"] for stage in result["stages"]}
    assert "prune" not in metrics
    rows = {row["name"]: row for row in metrics["evaluate"]["files"]}
    assert rows["float"]["difference"] == 0 < rows["int8"]["difference"] < 0.05
    assert rows["int8"]["details"]["agreement"] > 0.95
    sidecar = json.loads((folder / "artifacts/bare/export/int8.json").read_text())
    assert sidecar["output_kind"] == "numbers"


def test_a_configuration_may_fine_tune_and_search_from_the_file(folder: Path) -> None:
    steps = {"epochs": 2, "optimizer": {"name": "adam", "learning_rate": 0.003}}
    space = {"train.optimizer.learning_rate": {"float": [1e-3, 1e-2]}}
    config = write_config(
        folder,
        {
            "data": {"source": "npz", "path": "data.npz"},
            "model": {"path": "mine.keras"},
            "train": steps,
            "tune": {"search_space": space, "max_trials": 1, "epochs": 1},
            "stages": ["train", "tune", "quantize", "export"],
        },
        "tuned.yaml",
    )
    result = pipeline.run(config, artifacts=folder / "artifacts")
    before, after = (result.metrics[stage]["validation"] for stage in ("load", "train"))
    # Two epochs from random weights come to 0.6.
    assert after["accuracy"] >= before["accuracy"] - 0.05 > 0.8
    assert result.metrics["load"]["overrides"] == {"model.outputs": "probabilities"}
    assert list(result.files) == ["float", "int8"]


def test_a_subclassed_model_with_code_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib
    import sys

    (folder / "own_layers.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    coded = importlib.import_module("own_layers").Coded(name="coded")
    coded(samples()["x"])
    coded.save(folder / "coded.keras")
    with pytest.raises(ConfigError, match="which has no graph"):
        pipeline.run(
            {"run": {"name": "no"}, "data": {"source": "npz", "path": str(folder / "data.npz")},
             "model": {"path": str(folder / "coded.keras"), "custom_objects": "own_layers"},
             "stages": ["cluster", "export"]},
            artifacts=folder / "artifacts",
        )  # fmt: skip
    done = slimline(
        "compress", "coded.keras", "--calibration", "samples.npy", "--json",
        "--custom-objects", "own_layers", cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["files"]
    assert list(files) == ["float", "int8"]


def test_what_cannot_be_is_told_before_any_work(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected either data"):
        pipeline.compress(folder / "mine.keras")
    done = slimline("compress", folder / "mine.keras", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not (tmp_path / "artifacts").exists()


def test_a_bound_that_training_does_not_keep_either_ends_with_9(tmp_path: Path) -> None:
    """Half of the labels are drawn anew: what the model learned is not in these data."""
    start_tensorflow(0)
    import keras

    given = samples()
    model = trained(keras)
    kept = model.get_weights()
    model.set_weights([weight * 40 for weight in kept])  # saturated: int8 cannot hold it
    with pytest.raises(PromiseError, match=r"no rung of the ladder keeps max_accuracy_drop 0\.0"):
        pipeline.compress(
            model, (given["x"], given["y"]), max_accuracy_drop=0.0, sparsity=0.97, epochs=1,
            name="bounded", artifacts=tmp_path,
        )  # fmt: skip
    assert (tmp_path / "bounded" / "recipe.yaml").read_text().count("method: auto") == 1
    assert load(tmp_path / "bounded" / "failed" / "quantize" / "int8.tflite").batch == 1
