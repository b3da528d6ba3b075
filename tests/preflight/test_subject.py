"""A model file or a configuration, and what belongs to neither."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ArtifactError, ConfigError
from pipeline.preflight.subject import check_source, read_subject

CONFIG = """
data: {source: npz, path: data.npz}
model: {architecture: mlp, units: [4]}
stages: [train, prune, export]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=rng.random((60, 5)), y=np.arange(60) % 3)
    path = tmp_path / "mine.yaml"
    path.write_text(CONFIG)
    return path


def saved_model(folder: Path, inputs: int = 5) -> Path:
    import keras

    x = keras.Input((inputs,), name="x")
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax", name="d")(x), name="file")
    model.compile("adam", "sparse_categorical_crossentropy")
    model.save(folder / "m.keras")
    return folder / "m.keras"


def test_a_configuration_is_built_as_its_data_ask(config: Path) -> None:
    found = read_subject(config, None, ["model.units=[7]"])
    assert found.model.layers[-2].units == 7
    assert found.model.outputs[0].shape == (None, 3)
    assert found.config is not None and found.config.stages == ("train", "prune", "export")
    assert (found.task, found.compiled) == ("classification", None)
    assert found.samples is not None and found.samples[0].shape == (2, 5)


def test_a_file_is_read_with_what_it_tells(tmp_path: Path) -> None:
    found = read_subject(saved_model(tmp_path))
    assert (found.model.name, found.config, found.samples) == ("file", None, None)
    assert found.compiled is not None
    assert found.compiled.loss == "sparse_categorical_crossentropy"
    assert ".keras" in found.origin


def test_a_configuration_may_name_a_file(config: Path, tmp_path: Path) -> None:
    saved_model(tmp_path)
    config.write_text(CONFIG.replace("architecture: mlp, units: [4]", "path: m.keras"))
    found = read_subject(config)
    assert (found.model.name, found.task) == ("file", "classification")
    assert found.compiled is not None and found.samples is not None


def test_a_file_that_does_not_fit_the_data_is_refused(config: Path, tmp_path: Path) -> None:
    saved_model(tmp_path, inputs=4)
    config.write_text(CONFIG.replace("architecture: mlp, units: [4]", "path: m.keras"))
    with pytest.raises(ConfigError, match=r"takes samples of shape \(4,\), data.source gives \(5,"):
        read_subject(config)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("m.tflite", (None, ()), "expected a file that ends in .keras, .h5, .hdf5, .yaml, .yml"),
        ("m.yaml", ("own.layers", ()), "--custom-objects belongs to a model file, received"),
        ("m.keras", (None, ("a=1",)), "--set belongs to a configuration, received the model"),
    ],
)
def test_what_does_not_belong_is_refused_at_once(name: str, options: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        check_source(Path(name), *options)


def test_a_missing_model(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no such file"):
        check_source(tmp_path / "m.keras", None, ())
