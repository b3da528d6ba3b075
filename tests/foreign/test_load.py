"""Models of every format come in whole, with the outputs that they had."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pipeline.errors import ArtifactError, UntrustedModelError
from pipeline.foreign.load import CompileFacts, ForeignModel, from_live, load_foreign
from tests.foreign.foreign_models import (
    MODELS,
    assert_same_outputs,
    cnn,
    edit_archive,
    edit_h5,
    frozen,
    inputs_of,
    library,
    with_signal,
)


@pytest.mark.parametrize("model_name", list(MODELS))
@pytest.mark.parametrize("file_name", ["keras.keras", "keras.h5", "tf_keras.keras", "tf_keras.h5"])
def test_every_format_brings_structure_and_weights(
    file_name: str, model_name: str, tmp_path: Path
) -> None:
    name, _, suffix = file_name.partition(".")
    theirs = with_signal(MODELS[model_name](library(name)))
    path = tmp_path / f"model.{suffix}"
    theirs.save(path)
    found = load_foreign(path)
    assert found.model.built and not found.model.compiled
    assert found.model.name == theirs.name
    wanted = [layer.name for layer in theirs.layers if not layer.name.startswith("tf.")]
    assert {layer.name for layer in found.model.layers} == set(wanted)
    assert_same_outputs(found.model, theirs)


def test_two_swapped_filters_fail_the_comparison(good_files: dict[str, Path]) -> None:
    found = load_foreign(good_files["keras.keras"]).model
    theirs = with_signal(cnn(library("keras")))
    kernel = found.get_layer("c1").kernel
    kernel.assign(np.asarray(kernel)[..., [1, 0, 2, 3]])
    with pytest.raises(AssertionError):
        assert_same_outputs(found, theirs)


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("keras.keras", "Keras 3"),
        ("keras.h5", "Keras 3"),
        ("tf_keras.keras", "tf_keras 2"),
        ("tf_keras.h5", "tf_keras 2"),
    ],
)
def test_origin_and_compile_facts(name: str, origin: str, good_files: dict[str, Path]) -> None:
    found = load_foreign(good_files[name])
    assert found.origin.startswith(origin) and found.origin.endswith(name.rpartition(".")[2])
    assert found.notes == ()
    # tf_keras writes the bare name "adam" into a .keras file.
    rate = None if name == "tf_keras.keras" else pytest.approx(1e-3)
    assert found.compiled == CompileFacts("sparse_categorical_crossentropy", False, "adam", rate)


def test_an_h5_of_keras_2_4(tmp_path: Path) -> None:
    theirs = with_signal(cnn(library("tf_keras")))
    theirs.save(tmp_path / "model.h5")

    def as_keras_2_4(config: dict[str, Any]) -> None:
        layers = config["config"]["layers"]
        shape = layers.pop(0)["config"]["batch_input_shape"]
        layers[0]["config"]["batch_input_shape"] = shape
        for layer in layers:
            for key, value in layer["config"].items():
                if isinstance(value, dict):
                    layer["config"][key] = {k: value[k] for k in ("class_name", "config")}
        layers[3]["config"]["groups"] = 1  # DepthwiseConv2D

    path = edit_h5(tmp_path / "model.h5", as_keras_2_4, version="2.4.0")
    found = load_foreign(path)
    assert found.origin == "Keras 2.4.0 .h5"
    assert_same_outputs(found.model, theirs)


@pytest.mark.parametrize("name", ["keras.keras", "tf_keras.h5"])
def test_it_trains_saves_and_loads_in_stock_keras(
    name: str, good_files: dict[str, Path], tmp_path: Path
) -> None:
    import keras

    found = load_foreign(good_files[name]).model
    found.compile("sgd", "sparse_categorical_crossentropy")
    before = found.get_weights()
    found.fit(inputs_of(found), np.arange(16) % 3, epochs=1, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(before, found.get_weights(), strict=True)]
    assert all(moved)
    found.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert_same_outputs(again, found)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_layers_that_models_of_keras_applications_bring_along(
    name: str, suffix: str, tmp_path: Path
) -> None:
    k = library(name)
    home = f"{'keras' if name == 'keras' else k.__name__}.src.applications"
    convnext = importlib.import_module(f"{home}.convnext")
    inception = importlib.import_module(f"{home}.inception_resnet_v2")
    inputs = k.Input((4, 4, 3), name="x")
    x = convnext.LayerScale(0.5, 3, name="gamma")(inputs)
    x = convnext.StochasticDepth(0.1, name="depth")(x)
    x = inception.CustomScaleLayer(0.25, name="scale")([inputs, x])
    theirs = with_signal(k.Model(inputs, k.layers.GlobalAveragePooling2D()(x)))
    theirs.save(tmp_path / f"m.{suffix}")
    assert_same_outputs(load_foreign(tmp_path / f"m.{suffix}").model, theirs)


def test_frozen_layers_stay_frozen(tmp_path: Path) -> None:
    for name in ("keras", "tf_keras"):
        theirs = frozen(library(name))
        theirs.save(tmp_path / "model.keras")
        found = load_foreign(tmp_path / "model.keras").model
        assert len(found.trainable_weights) == len(theirs.trainable_weights) == 8
        assert not found.get_layer("inner").get_layer("inner_dense").trainable


def test_notes_tell_what_changed(tmp_path: Path) -> None:
    k = library("tf_keras")
    x = inputs = k.Input((4, 2), batch_size=1, name="input")
    x = k.layers.LSTM(3, stateful=True, name="block/lstm")(x)
    model = k.Model(inputs, k.layers.Dense(1, name="last")(x) * 2.0)
    model.save(tmp_path / "model.h5")
    found = load_foreign(tmp_path / "model.h5")
    assert found.model.get_layer("block_lstm").stateful is False
    assert found.notes[:2] == (
        "stateful: block/lstm kept state from batch to batch; here each sample begins with a zero "
        "state",
        "renamed: block/lstm; Keras 3 allows no '/' in names",
    )
    assert re.match(r"1 TensorFlow functions \(tf\.math\.multiply\w*\) are", found.notes[2])


def test_weights_alone_and_files_of_other_kinds(tmp_path: Path) -> None:
    model = cnn(library("keras"))
    model.save_weights(tmp_path / "a.weights.h5")
    words = r"weights only; save the whole model .* model\.architecture and model\.weights"
    with pytest.raises(UntrustedModelError, match=words):
        load_foreign(tmp_path / "a.weights.h5")
    with h5py.File(tmp_path / "table.h5", "w") as file:
        file["table"] = np.zeros(3)
    with pytest.raises(UntrustedModelError, match="an HDF5 file of something else"):
        load_foreign(tmp_path / "table.h5")
    (tmp_path / "a.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(UntrustedModelError, match=r"begins with .*TFL3', expected a \.keras or"):
        load_foreign(tmp_path / "a.tflite")
    with pytest.raises(UntrustedModelError, match=r"a folder \(SavedModel\?\)"):
        load_foreign(tmp_path)
    with pytest.raises(ArtifactError, match=r"there is no such file; check model\.path"):
        load_foreign(tmp_path / "none.keras")


def test_messages_do_nothing_to_a_terminal(tmp_path: Path, good_files: dict[str, Path]) -> None:
    def rename(config: dict[str, Any]) -> None:
        layer = config["config"]["layers"][1]
        layer["class_name"], layer["config"]["name"] = "Odd", "c1\n\x1b[2J"

    path = edit_archive(good_files["keras.keras"], tmp_path / "m.keras", rename)
    with pytest.raises(UntrustedModelError, match=r"layer 'c1��\[2J' \(Odd\): its name"):
        load_foreign(path)


def test_another_version_of_keras(tmp_path: Path, good_files: dict[str, Path]) -> None:
    (tmp_path / "a.h5").write_bytes(good_files["keras.h5"].read_bytes())
    edit_h5(tmp_path / "a.h5", lambda config: None, version="1.2.2")
    with pytest.raises(
        UntrustedModelError, match=r"written by Keras '1\.2\.2', expected version 2"
    ):
        load_foreign(tmp_path / "a.h5")


def test_arrays_that_the_list_of_weights_does_not_name(
    tmp_path: Path, good_files: dict[str, Path]
) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(good_files["tf_keras.h5"].read_bytes())
    with h5py.File(path, "r+") as file:
        file["model_weights/c1/stray"] = np.zeros(2)
    with pytest.raises(UntrustedModelError, match=r"'model_weights/c1/stray' belongs to no layer"):
        load_foreign(path)
    with h5py.File(path, "r+") as file:
        del file["model_weights/c1/stray"]
        file["model_weights/c1"].attrs["weight_names"] = ["c1/other:0"]
    with pytest.raises(UntrustedModelError, match=r"'model_weights/c1/c1/other:0' is missing"):
        load_foreign(path)


def test_both_doors_give_the_same_kind() -> None:
    assert isinstance(from_live(cnn(library("keras"))), ForeignModel)
