"""The user's own module: imported on request, and only what it defines is allowed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError, UntrustedModelError
from pipeline.foreign.custom import describe_module, load_custom_objects
from pipeline.foreign.load import load_foreign
from tests.foreign.foreign_models import assert_same_outputs, with_signal

MODULE = """
import keras
from keras.layers import Lambda


@keras.saving.register_keras_serializable("mine")
class Scaled(keras.layers.Layer):
    def __init__(self, inner, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.factor = inner, factor

    def build(self, shape):
        self.inner.build(shape)
        self.gain = self.add_weight(name="gain", shape=(shape[-1],))

    def call(self, x):
        return self.inner(x * self.gain) * self.factor

    def get_config(self):
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "inner": inner, "factor": self.factor}

    @classmethod
    def from_config(cls, config):
        config["inner"] = keras.saving.deserialize_keras_object(config["inner"])
        return cls(**config)


class Plain(keras.layers.Layer):
    def call(self, x):
        return x * 2.0


def bent(x):
    return keras.ops.sin(x) * 2


class Net(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = keras.layers.Dense(units, activation=bent)
        self.others = [keras.layers.Dense(units) for _ in range(2)]

    def call(self, x):
        x = self.first(x)
        for layer in self.others:
            x = layer(x)
        return x

    def get_config(self):
        return {**super().get_config(), "units": self.units}
"""


@pytest.fixture
def own_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A module of the user's, in the folder where the user stands."""
    import importlib

    (tmp_path / "own_layers.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield importlib.import_module("own_layers")
    from keras.src.saving.object_registration import GLOBAL_CUSTOM_OBJECTS

    GLOBAL_CUSTOM_OBJECTS.pop("mine>Scaled", None)
    sys.modules.pop("own_layers", None)


def functional(module: Any) -> Any:
    import keras

    inputs = keras.Input((4,), name="x")
    inner = keras.layers.Dense(4, activation=module.bent, name="inner")
    x = module.Scaled(inner, factor=0.5, name="scaled")(inputs)
    x = module.Plain(name="plain")(x)
    return keras.Model(inputs, keras.layers.Dense(2, activation=module.bent, name="last")(x))


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_own_layers_and_functions(suffix: str, own_layers: Any, tmp_path: Path) -> None:
    theirs = with_signal(functional(own_layers))
    path = tmp_path / f"model.{suffix}"
    theirs.save(path)
    found = load_foreign(path, "own_layers").model
    assert type(found.get_layer("scaled")) is own_layers.Scaled
    assert_same_outputs(found, theirs)


def test_without_consent_they_are_refused_and_the_option_named(
    own_layers: Any, tmp_path: Path
) -> None:
    """Even though the class is registered with Keras in this very process."""
    functional(own_layers).save(tmp_path / "model.keras")
    words = r"layer 'scaled' \(own_layers\.Scaled\) is not one of .* --custom-objects package"
    with pytest.raises(UntrustedModelError, match=words):
        load_foreign(tmp_path / "model.keras")


def test_a_subclassed_model(own_layers: Any, tmp_path: Path) -> None:
    theirs = own_layers.Net(units=4, name="net")
    data = np.random.default_rng(0).normal(size=(8, 5)).astype("float32")
    theirs(data)
    with_signal(theirs).save(tmp_path / "net.keras")
    found = load_foreign(tmp_path / "net.keras", "own_layers").model
    assert type(found) is own_layers.Net and found.units == 4
    np.testing.assert_allclose(np.asarray(found(data)), np.asarray(theirs(data)), atol=1e-6)


def test_a_lambda_stays_refused(own_layers: Any, tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x, name="l")])
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        with pytest.raises(UntrustedModelError, match=r"'l' \(Lambda\) runs Python code"):
            load_foreign(tmp_path / name, "own_layers")


def test_modules_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ConfigError, match=r"custom objects nowhere: cannot be imported \(Module"):
        load_custom_objects("nowhere")
    (tmp_path / "breaks.py").write_text("\nraise OSError('no luck')\n")
    with pytest.raises(ConfigError, match=r"\(OSError: no luck at .*breaks\.py:2\)"):
        load_custom_objects("breaks")
    (tmp_path / "hollow.py").write_text("import json\n")
    with pytest.raises(ConfigError, match="hollow: the module defines no layer and no function"):
        load_custom_objects("hollow")


def test_no_module_no_objects() -> None:
    assert load_custom_objects(None).by_name == {}


def test_a_module_is_described_by_its_content_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "described_layers.py").write_text("raise RuntimeError('run')\n")
    found = describe_module("described_layers")
    assert found["module"] == "described_layers"
    (tmp_path / "described_layers.py").write_text("raise RuntimeError('changed')\n")
    assert describe_module("described_layers")["sha256"] != found["sha256"]
    with pytest.raises(ConfigError, match="No module named 'missing_layers'; expected a module"):
        describe_module("missing_layers")
