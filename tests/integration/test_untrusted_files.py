"""Attacks by model files: each is refused with exit code 5, and its marker is never written.

All but two are read in this very process, by the functions that the child runs: what they opened
or ran would show here just as well.
"""

from __future__ import annotations

import base64
import marshal
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.load import load_foreign, rebuild_contents
from pipeline.foreign.read_child import read_file
from pipeline.foreign.reading import collect
from tests.foreign.foreign_models import edit_archive, edit_h5

Edit = Callable[[dict[str, Any], Path], None]


def load_here(path: Path, folder: Path) -> Any:
    """Reads and rebuilds a file without a child process."""
    folder.mkdir(exist_ok=True)
    read_file(path, folder)
    return rebuild_contents(collect(path, folder), CustomObjects())


def insert(config: dict[str, Any], layer: dict[str, Any]) -> None:
    """Puts a layer behind the first ones of a sequential model."""
    layer = {"registered_name": None, "module": "keras.layers", **layer}
    config["config"]["layers"].insert(2, layer)


def marking_code(marker: Path) -> tuple[str, Any, Any]:
    """Returns Python code that writes the marker, as Keras stores that of a Lambda."""
    code = f"lambda x: (open({str(marker)!r}, 'w').close(), x)[1]"
    packed = base64.b64encode(marshal.dumps(eval(code).__code__)).decode()
    return packed, None, None


def lambda_layer(config: dict[str, Any], marker: Path) -> None:
    code = marking_code(marker)
    function = {"class_name": "__lambda__", "config": {"code": code[0], "defaults": None,
                                                       "closure": None}}  # fmt: skip
    insert(config, {"class_name": "Lambda", "config": {"name": "l", "function": function}})


def lambda_of_keras_2(config: dict[str, Any], marker: Path) -> None:
    settings = {"name": "l", "function": list(marking_code(marker)), "function_type": "lambda"}
    insert(config, {"class_name": "Lambda", "config": settings})


def lambda_as_activation(config: dict[str, Any], marker: Path) -> None:
    code = {"class_name": "__lambda__", "config": {"code": marking_code(marker)[0],
                                                   "defaults": None, "closure": None}}  # fmt: skip
    insert(config, {"class_name": "Activation", "config": {"name": "a", "activation": code}})


def function_gadget(config: dict[str, Any], marker: Path) -> None:
    gadget = {"module": "os", "class_name": "function", "config": "system",
              "registered_name": "system"}  # fmt: skip
    insert(config, {"class_name": "Activation", "config": {"name": "a", "activation": gadget}})


def keras_function_gadget(config: dict[str, Any], marker: Path) -> None:
    """get_file is Keras's own, and downloads."""
    gadget = {"module": "keras.utils", "class_name": "function", "config": "get_file",
              "registered_name": "get_file"}  # fmt: skip
    insert(config, {"class_name": "Activation", "config": {"name": "a", "activation": gadget}})


def class_of_another_module(config: dict[str, Any], marker: Path) -> None:
    settings = {"args": ["touch", str(marker)]}
    insert(config, {"module": "subprocess", "class_name": "Popen", "config": settings})


def known_name_of_another_module(config: dict[str, Any], marker: Path) -> None:
    insert(config, {"module": "evil", "class_name": "Dense", "config": {"units": 2, "name": "d"}})


def registered_name(config: dict[str, Any], marker: Path) -> None:
    layer = {"class_name": "Dense", "registered_name": "evil>Dense", "config": {"units": 2}}
    insert(config, layer)


def saved_model_layer(config: dict[str, Any], marker: Path) -> None:
    insert(config, {"class_name": "TFSMLayer", "config": {"filepath": str(marker.parent)}})


def string_lookup(config: dict[str, Any], marker: Path) -> None:
    settings = {"vocabulary": "/etc/passwd", "name": "lookup"}
    insert(config, {"class_name": "StringLookup", "config": settings})


def text_vectorization(config: dict[str, Any], marker: Path) -> None:
    insert(config, {"class_name": "TextVectorization", "config": {"vocabulary": "/etc/passwd"}})


def any_tensorflow_function(config: dict[str, Any], marker: Path) -> None:
    settings = {"name": "write", "function": "io.write_file", "trainable": True, "dtype": "float32"}
    insert(config, {"class_name": "TFOpLambda", "config": settings})


def initializer_gadget(config: dict[str, Any], marker: Path) -> None:
    gadget = {"module": "builtins", "class_name": "eval", "config": {"source": "1"}}
    insert(config, {"class_name": "Dense", "config": {"units": 2, "kernel_regularizer": gadget}})


def object_in_a_setting(config: dict[str, Any], marker: Path) -> None:
    gadget = {"module": "keras.layers", "class_name": "Lambda", "config": {}}
    insert(config, {"class_name": "Dense", "config": {"units": gadget}})


def layer_in_a_wrapper(config: dict[str, Any], marker: Path) -> None:
    inner = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "l"}}
    insert(config, {"class_name": "TimeDistributed", "config": {"layer": inner}})


def typespec(config: dict[str, Any], marker: Path) -> None:
    spec = {"class_name": "__typespec__", "spec_name": "Popen", "module": "subprocess",
            "registered_name": None, "config": [["touch", str(marker)]]}  # fmt: skip
    insert(config, {"class_name": "InputLayer", "config": {"batch_shape": [None, 2],
                                                           "type_spec": spec}})  # fmt: skip


def name_of(value: Any) -> str:
    return getattr(value, "__name__", "")


CONFIG_ATTACKS: list[tuple[Edit, str]] = [
    (lambda_layer, r"layer 'l' \(Lambda\) runs Python code that lies in the file"),
    (lambda_as_activation, "__lambda__ is not one of Keras's own activations"),
    (function_gadget, r"os\.system is not one of Keras's own activations"),
    (keras_function_gadget, r"keras\.utils\.get_file is not one of Keras's own activations"),
    (class_of_another_module, r"subprocess\.Popen\) is not one of Keras's own layers"),
    (known_name_of_another_module, r"evil\.Dense\) is not one of Keras's own layers"),
    (registered_name, r"Dense\) is not one of Keras's own layers"),
    (saved_model_layer, r"TFSMLayer\) runs a SavedModel"),
    (string_lookup, r"layer 'lookup' \(StringLookup\) reads a vocabulary"),
    (text_vectorization, r"TextVectorization\) reads a vocabulary"),
    (initializer_gadget, r"builtins\.eval is not one of L1,"),
    (object_in_a_setting, r"'units' holds an object \(Lambda\)"),
    (layer_in_a_wrapper, r"layer 'l' \(Lambda\) runs Python code"),
    (typespec, r"(holds an object \(__typespec__\)|'type_spec' = .* has no counterpart)"),
]
KERAS_2_ATTACKS: list[tuple[Edit, str]] = [
    (lambda_of_keras_2, r"layer 'l' \(Lambda\) runs Python code that lies in the file"),
    (any_tensorflow_function, r"TFOpLambda\) is not one of Keras's own layers"),
]


@pytest.mark.parametrize(
    ("attack", "words"), CONFIG_ATTACKS, ids=lambda a: getattr(a, "__name__", "")
)
@pytest.mark.parametrize("name", ["keras.keras", "keras.h5", "tf_keras.keras", "tf_keras.h5"])
def test_a_config_that_would_run_or_open_something(
    name: str, attack: Edit, words: str, tmp_path: Path, good_files: dict[str, Path]
) -> None:
    refuse(name, attack, words, tmp_path, good_files)


@pytest.mark.parametrize(
    ("attack", "words"), KERAS_2_ATTACKS, ids=lambda a: getattr(a, "__name__", "")
)
@pytest.mark.parametrize("name", ["tf_keras.keras", "tf_keras.h5"])
def test_what_the_loaders_of_keras_2_run(
    name: str, attack: Edit, words: str, tmp_path: Path, good_files: dict[str, Path]
) -> None:
    refuse(name, attack, words, tmp_path, good_files)


def refuse(
    name: str, attack: Edit, words: str, tmp_path: Path, good_files: dict[str, Path]
) -> None:
    marker, path = tmp_path / "marker", tmp_path / name

    def edit(config: dict[str, Any]) -> None:
        attack(config, marker)

    if path.suffix == ".keras":
        edit_archive(good_files[name], path, edit)
    else:
        path.write_bytes(good_files[name].read_bytes())
        edit_h5(path, edit)
    with pytest.raises(UntrustedModelError, match=words) as caught:
        load_here(path, tmp_path / "read")
    assert caught.value.exit_code == 5 and "\n" not in str(caught.value)
    assert not marker.exists()


def external_link(file: h5py.File, array: str, secret: Path) -> None:
    del file[array]
    file[array] = h5py.ExternalLink(str(secret), "/x")


def soft_link(file: h5py.File, array: str, secret: Path) -> None:
    file["copy"] = file[array][()]
    del file[array]
    file[array] = h5py.SoftLink("/copy")


def external_data(file: h5py.File, array: str, secret: Path) -> None:
    shape = file[array].shape
    del file[array]
    file.create_dataset(array, shape, "f4", external=[(str(secret), 0, 4 * int(np.prod(shape)))])


def virtual_data(file: h5py.File, array: str, secret: Path) -> None:
    shape = file[array].shape
    del file[array]
    layout = h5py.VirtualLayout(shape, "f4")
    layout[:] = h5py.VirtualSource(str(secret), "x", shape)
    file.create_virtual_dataset(array, layout)


def giant_shape(file: h5py.File, array: str, secret: Path) -> None:
    del file[array]
    file.create_dataset(array, (10**7, 10**7), "f4", chunks=(64, 64), compression="gzip")


@pytest.mark.parametrize(
    ("attack", "words"),
    [
        (external_link, "is a link, so it is not followed"),
        (soft_link, "is a link, so it is not followed"),
        (external_data, "is no array of this file itself, so it is not read"),
        (virtual_data, "is no array of this file itself, so it is not read"),
        (giant_shape, r"declares shape \(10000000, 10000000\)"),
    ],
    ids=name_of,
)
@pytest.mark.parametrize("name", ["keras.keras", "tf_keras.h5"])
def test_weights_that_lie_elsewhere(
    name: str, attack: Any, words: str, tmp_path: Path, good_files: dict[str, Path]
) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["x"] = np.ones((3, 3, 2, 4), "f4")
    path = tmp_path / name
    path.write_bytes(good_files[name].read_bytes())
    array = "layers/conv2d/vars/0" if path.suffix == ".keras" else "model_weights/c1/c1/kernel:0"
    weights = path
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            content = {member: archive.read(member) for member in archive.namelist()}
        weights = tmp_path / "weights.h5"
        weights.write_bytes(content["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        attack(file, array, tmp_path / "secret.h5")
    if path.suffix == ".keras":
        with zipfile.ZipFile(path, "w") as archive:
            for member, old in content.items():
                new = weights.read_bytes() if member == "model.weights.h5" else old
                archive.writestr(member, new)
    with pytest.raises(UntrustedModelError, match=rf"{name}: '.*' {words}"):
        load_here(path, tmp_path / "read")


def test_a_member_that_climbs_out_of_its_folder(
    tmp_path: Path, good_files: dict[str, Path]
) -> None:
    path = edit_archive(good_files["keras.keras"], tmp_path / "m.keras", lambda config: None)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../marker", "x")
    with pytest.raises(UntrustedModelError, match=r"has the member '\.\./marker'"):
        load_here(path, tmp_path / "read")
    assert not (tmp_path / "marker").exists()


def test_a_config_that_expands_a_thousandfold(tmp_path: Path, good_files: dict[str, Path]) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(good_files["keras.keras"]) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            content, packing = old.read(member), zipfile.ZIP_STORED
            if member == "config.json":
                content, packing = content + b" " * 30_000_000, zipfile.ZIP_DEFLATED
            new.writestr(member, content, packing)
    with pytest.raises(UntrustedModelError, match=r"'config\.json' expands from"):
        load_here(path, tmp_path / "read")


@pytest.mark.parametrize("name", ["keras.keras", "tf_keras.h5"])
def test_the_whole_way_through_the_child(
    name: str, tmp_path: Path, good_files: dict[str, Path]
) -> None:
    """A Lambda's code, and a giant whose arrays are not there, are refused within seconds."""
    marker, path = tmp_path / "marker", tmp_path / name

    def write(change: Callable[[dict[str, Any]], Any]) -> None:
        if path.suffix == ".keras":
            edit_archive(good_files[name], path, change)
        else:
            path.write_bytes(good_files[name].read_bytes())
            edit_h5(path, change)

    def giant(config: dict[str, Any]) -> None:
        config["config"]["layers"][-1]["config"]["units"] = 10**12

    started = time.monotonic()
    write(lambda config: lambda_layer(config, marker))
    with pytest.raises(UntrustedModelError, match="runs Python code that lies in the file"):
        load_foreign(path)
    write(giant)
    with pytest.raises(UntrustedModelError, match=r"(makes a tensor of shape \(None, 10{12}\))"):
        load_foreign(path)
    assert not marker.exists() and time.monotonic() - started < 60
