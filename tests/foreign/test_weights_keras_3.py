"""Groups of variables find their layers by name; what does not fit, lacks or is left over is told.

The private `_load_state` of Keras is used: test_load.py walks attention, cells, wrappers and models
in models with it, for files of both Kerases.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign import classes
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.load import rebuild_contents
from pipeline.foreign.reading import FileContents
from pipeline.models.names import snake_case
from tests.foreign.foreign_models import assert_same_outputs, tf_keras, with_signal

Arrays = dict[str, np.ndarray]


def two_layers() -> Any:
    layers = keras.layers
    inputs = keras.Input((3,), name="x")
    hidden = layers.Dense(3, name="first")(inputs)
    return with_signal(keras.Model(inputs, layers.Dense(3, name="second")(hidden)))


def contents_of(model: Any, edit: Callable[[Arrays, dict[str, str]], None]) -> FileContents:
    """What a file of two dense layers holds."""
    arrays, names = {}, {}
    for group, layer in (("dense", "first"), ("dense_1", "second")):
        names[f"layers/{group}/vars"] = layer
        for number, weight in enumerate(model.get_layer(layer).weights):
            arrays[f"layers/{group}/vars/{number}"] = np.asarray(weight)
    edit(arrays, names)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    return FileContents(Path("m.keras"), "keras", "3.15.1", config, None, arrays, {}, names)


def load(edit: Callable[[Arrays, dict[str, str]], Any]) -> Any:
    return rebuild_contents(contents_of(two_layers(), edit), CustomObjects()).model


def test_every_array_goes_to_its_layer() -> None:
    assert_same_outputs(load(lambda arrays, names: None), two_layers())


def test_an_older_name_of_the_list_of_layers() -> None:
    def older(arrays: Arrays, names: dict[str, str]) -> None:
        for name in list(arrays):
            arrays[name.replace("layers/", "_layer_checkpoint_dependencies/")] = arrays.pop(name)
        names.clear()

    assert_same_outputs(load(older), two_layers())


def other_names(arrays: Arrays, names: dict[str, str]) -> None:
    names["layers/dense/vars"], names["layers/dense_1/vars"] = "second", "first"


def other_shape(arrays: Arrays, names: dict[str, str]) -> None:
    arrays["layers/dense/vars/0"] = np.zeros((3, 4))


def one_less(arrays: Arrays, names: dict[str, str]) -> None:
    del arrays["layers/dense/vars/1"]


def a_layer_less(arrays: Arrays, names: dict[str, str]) -> None:
    del arrays["layers/dense/vars/0"], arrays["layers/dense/vars/1"]


def a_layer_more(arrays: Arrays, names: dict[str, str]) -> None:
    arrays["layers/dense_2/vars/0"] = np.zeros(3)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (
            other_names,
            "m.keras: the weights at 'layers/dense' are of layer 'second', exp",
        ),
        (other_shape, r"the weights at 'layers/dense' do not fit layer 'first' \(.*\(3, 4\)"),
        (one_less, "the weights at 'layers/dense' do not fit layer 'first'"),
        (a_layer_less, "the weights at 'layers/dense' do not fit layer 'first'"),
        (a_layer_more, r"'layers/dense_2/vars/0' \(one of 1\) belong to no layer of its config"),
    ],
)
def test_what_does_not_fit(edit: Any, words: str) -> None:
    with pytest.raises(UntrustedModelError, match=words):
        load(edit)


def test_groups_are_named_as_both_kerases_name_them() -> None:
    from keras.src.utils.naming import to_snake_case

    generic = importlib.import_module(f"{tf_keras().__name__}.src.utils.generic_utils")
    for name in classes.LAYERS | classes.MODELS | classes.APPLICATION_LAYERS.keys():
        assert snake_case(name) == to_snake_case(name) == generic.to_snake_case(name)
