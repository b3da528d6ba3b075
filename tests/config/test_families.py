"""The literal table against keras.applications."""

from __future__ import annotations

import inspect
import re
from types import ModuleType
from typing import get_args

import pytest

from pipeline.config.applications import APPLICATION_MODELS
from pipeline.config.families import FAMILIES, PREFIX, class_of, family_of, is_application

OTHER_MODULES = {"imagenet_utils", "resnet50"}  # resnet50 is a second name of resnet


def keras_families() -> dict[str, ModuleType]:
    import keras

    modules = vars(keras.applications).items()
    return {
        name: module
        for name, module in modules
        if isinstance(module, ModuleType)
        and hasattr(module, "preprocess_input")
        and name not in OTHER_MODULES
    }


def networks(module: ModuleType) -> set[str]:
    return {name for name, value in vars(module).items() if name[0].isupper() and callable(value)}


def test_all_of_keras_applications_are_in_the_table() -> None:
    import keras

    expected = {name for name in networks(keras.applications)}
    assert len(expected) == 40
    assert {name for family in FAMILIES.values() for name in family.names} == expected
    assert set(keras_families()) == set(FAMILIES)
    for module, family in FAMILIES.items():
        found = networks(keras_families()[module])
        assert found <= set(family.names), module  # mobilenet_v3 names none of its own


def test_all_of_them_are_architectures_of_the_configuration() -> None:
    names = {
        name
        for model in APPLICATION_MODELS
        for name in get_args(model.model_fields["architecture"].annotation)
    }
    assert names == {PREFIX + name for family in FAMILIES.values() for name in family.names}


@pytest.mark.parametrize("model", APPLICATION_MODELS)
def test_own_arguments_are_those_of_keras_with_its_defaults(model: type) -> None:
    import keras

    own = {"alpha", "depth_multiplier", "minimalistic"}
    for architecture in get_args(model.model_fields["architecture"].annotation):
        signature = inspect.signature(getattr(keras.applications, class_of(architecture)))
        theirs = {n: p.default for n, p in signature.parameters.items() if n in own}
        ours = {n: f.default for n, f in model.model_fields.items() if n in own}
        assert ours == theirs


@pytest.mark.parametrize("module", FAMILIES)
def test_the_smallest_size_is_the_one_in_keras(module: str) -> None:
    import keras

    name = FAMILIES[module].names[0]
    function = getattr(keras.applications, name)
    home = inspect.getmodule(inspect.unwrap(function))
    if module == "resnet_v2":  # builds on the functions of resnet
        home = inspect.getmodule(inspect.unwrap(keras.applications.ResNet50))
    source = inspect.getsource(home)
    found = re.findall(r"min_size=(\d+)|cols < (\d+)", source)
    sizes = {int(number) for pair in found for number in pair if number}
    assert sizes == {FAMILIES[module].smallest}


def test_names() -> None:
    assert is_application("applications/VGG16")
    assert not is_application("mlp")
    assert family_of("applications/VGG16").mode == "caffe"
