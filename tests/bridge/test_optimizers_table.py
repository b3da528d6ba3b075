"""The table agrees with both Kerases, and the planner's check with the table."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest

from pipeline.bridge.optimizers_table import TF_KERAS_OPTIMIZERS, check_optimizer_crosses
from pipeline.bridge.start import import_tf_keras
from pipeline.config.optimizer import OPTIMIZERS, OptimizerConfig
from pipeline.errors import ConfigError


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_table_is_what_tf_keras_has(name: str) -> None:
    class_name, arguments = OPTIMIZERS[name]
    found = getattr(import_tf_keras().optimizers, class_name, None)
    assert (found is not None) == (name in TF_KERAS_OPTIMIZERS)
    if found is None:
        return
    signature = set(inspect.signature(found.__init__).parameters)
    clipping = {"clipnorm", "clipvalue", "global_clipnorm"}
    assert TF_KERAS_OPTIMIZERS[name] == (class_name, (set(arguments) | clipping) & signature)


def test_the_defaults_are_the_same_in_both() -> None:
    import keras

    for name, (class_name, arguments) in TF_KERAS_OPTIMIZERS.items():
        ours = inspect.signature(getattr(keras.optimizers, class_name).__init__).parameters
        theirs = inspect.signature(
            getattr(import_tf_keras().optimizers, class_name).__init__
        ).parameters
        for argument in arguments:
            assert ours[argument].default == theirs[argument].default, (name, argument)


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - set(TF_KERAS_OPTIMIZERS)))
def test_an_optimizer_that_tf_keras_lacks_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"prune.optimizer: received '{name}', which tf_keras"):
        check_optimizer_crosses(OptimizerConfig(name=name), "prune")


def test_an_argument_that_tf_keras_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TF_KERAS_OPTIMIZERS, "sgd", ("SGD", frozenset({"momentum"})))
    config = OptimizerConfig(name="sgd", arguments={"nesterov": True})
    with pytest.raises(ConfigError, match=r"quantize.qat.optimizer: .* argument 'nesterov'"):
        check_optimizer_crosses(config, "quantize.qat")


@pytest.mark.parametrize("clipping", [{"value": 1.0}, {"norm": 1.0}, {"global_norm": 1.0}])
def test_clipping_crosses(clipping: dict[str, Any]) -> None:
    for name in TF_KERAS_OPTIMIZERS:
        check_optimizer_crosses(OptimizerConfig(name=name, gradient_clipping=clipping), "prune")


def test_the_check_imports_nothing_heavy() -> None:
    code = (
        "import sys, pipeline.bridge.optimizers_table; "
        "print([m for m in ('tensorflow', 'keras', 'tf_keras', 'numpy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
