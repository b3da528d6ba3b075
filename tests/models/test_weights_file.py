"""Weights from files: what is taken, what is refused, and that nothing else is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pipeline.errors import ConfigError, UntrustedModelError
from pipeline.models.weights_file import load_weights


def base(filters: int = 3, automatic: bool = False) -> Any:
    """Conv2D, BatchNormalization and a nested model, with weights that are all different."""
    import keras

    layers = keras.layers
    x = inputs = keras.Input((4, 4, 1), name="input")
    x = layers.Conv2D(filters, 2, name=None if automatic else "block_conv")(x)
    x = layers.BatchNormalization(name=None if automatic else "block_bn")(x)
    x = keras.Sequential([layers.Dense(2, name="inner")], name="nested")(x)
    model = keras.Model(inputs, x)
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    return model


def arrays(model: Any) -> list[np.ndarray]:
    return [weight.numpy() for weight in model.weights]


def clear(model: Any) -> Any:
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    return model


def write_older_form(path: Path, model: Any, slash: bool = False, root: str | None = None) -> None:
    """Writes the weights of a model as Keras 2 did."""
    with h5py.File(path, "w") as file:
        top = file.create_group(root) if root else file
        names = []
        for layer in model.layers:
            name = layer.name.replace("_", "/") if slash else layer.name
            names.append(name)
            group = top.create_group(name)
            keys = [f"{name}/{n}:0" for n in range(len(layer.weights))]
            group.attrs["weight_names"] = keys
            for key, weight in zip(keys, layer.weights, strict=True):
                group[key] = weight.numpy()
        top.attrs["layer_names"] = names


def write_npz(path: Path, model: Any) -> None:
    values = {
        f"{layer.name}/{weight.name}": weight.numpy()
        for layer in model.layers
        for weight in layer.weights
    }
    np.savez(path, **values)


def write(path: Path, model: Any) -> Path:
    if path.name.endswith(".weights.h5"):
        model.save_weights(path)
    elif path.suffix == ".keras":
        model.save(path)
    elif path.suffix == ".npz":
        write_npz(path, model)
    else:
        write_older_form(path, model)
    return path


@pytest.mark.parametrize("name", ["a.weights.h5", "a.keras", "a.npz", "a.h5"])
@pytest.mark.parametrize("automatic", [False, True])
def test_every_form_brings_every_weight(name: str, automatic: bool, tmp_path: Path) -> None:
    from pipeline.models.applications import name_stably

    model = base(automatic=automatic)
    name_stably(model)
    path, expected = write(tmp_path / name, model), arrays(model)
    load_weights(clear(model), path)
    for found, wanted in zip(arrays(model), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_older_files_with_slashes_or_inside_a_whole_model(tmp_path: Path) -> None:
    model = base()
    expected = arrays(model)
    for options in ({"slash": True}, {"root": "model_weights"}):
        write_older_form(tmp_path / "a.h5", model, **options)
        load_weights(clear(model), tmp_path / "a.h5")
        np.testing.assert_array_equal(arrays(model)[0], expected[0])


def test_a_top_that_is_not_used_is_left_out(tmp_path: Path) -> None:
    import keras

    small = base()
    whole = keras.Model(small.input, keras.layers.Dense(4, name="top")(small.output))
    path, expected = write(tmp_path / "a.h5", whole), arrays(small)
    load_weights(clear(small), path)
    np.testing.assert_array_equal(arrays(small)[0], expected[0])


@pytest.mark.parametrize("name", ["a.weights.h5", "a.npz", "a.h5"])
def test_other_shapes_are_named_and_nothing_is_changed(name: str, tmp_path: Path) -> None:
    path, model = write(tmp_path / name, base(filters=5)), base()
    before = arrays(model)
    words = r"'block_conv': kernel has shape \(2, 2, 1, 5\) in the file, expected \(2, 2, 1, 3\)"
    with pytest.raises(ConfigError, match=words + r".* \(and \d+ more\)"):
        load_weights(model, path)
    np.testing.assert_array_equal(arrays(model)[0], before[0])


def test_a_layer_that_is_missing_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{"other/kernel": np.zeros(2)})
    with pytest.raises(
        ConfigError, match="layer 'block_conv' is not in the file; layer 'block_bn'"
    ):
        load_weights(base(), tmp_path / "a.npz")


def link_away(file: h5py.File, group: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as other:
        other["x"] = np.zeros((2, 2, 1, 3))
    del file[group]["0"]
    file[group]["0"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/x")


def store_away(file: h5py.File, group: str, tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(48))
    del file[group]["0"]
    outside = [(str(tmp_path / "secret.bin"), 0, 48)]
    file[group].create_dataset("0", (2, 2, 1, 3), "f4", external=outside)


def objects(file: h5py.File, group: str, tmp_path: Path) -> None:
    del file[group]["0"]
    file[group].create_dataset("0", (2, 2, 1, 3), h5py.string_dtype())


def not_finite(file: h5py.File, group: str, tmp_path: Path) -> None:
    file[group]["0"][...] = np.nan


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (link_away, "'0' is a link, so it is not read"),
        (store_away, "'0' is no array of this file itself"),
        (objects, "'0' has dtype object, expected numbers"),
        (not_finite, "layer 'block_conv' holds values that are not finite"),
    ],
)
def test_what_is_no_plain_array_is_refused(spoil: Any, words: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.weights.h5", base())
    with h5py.File(path, "r+") as file:
        spoil(file, "layers/conv2d/vars", tmp_path)
    with pytest.raises(UntrustedModelError, match=words):
        load_weights(base(), path)


def test_pickled_objects_are_never_unpacked(tmp_path: Path) -> None:
    values = {"block_conv/kernel": np.array([print], dtype=object), "block_conv/bias": np.zeros(3)}
    np.savez(tmp_path / "a.npz", **values)
    with pytest.raises(UntrustedModelError, match=r"'block_conv/kernel\.npy' has dtype object"):
        load_weights(base(), tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["a.weights.h5", "a.npz", "a.keras"])
def test_a_torn_file_is_refused(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, base())
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UntrustedModelError, match=rf"{path}: not a whole .* file"):
        load_weights(base(), path)


def test_an_hdf5_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["table"] = np.zeros(3)
    with pytest.raises(UntrustedModelError, match="received the groups table, expected weights"):
        load_weights(base(), tmp_path / "a.h5")
