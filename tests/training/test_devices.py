"""Several devices give what one gives; asking for more than there are is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from pipeline.errors import ConfigError
from pipeline.training.devices import (
    applier,
    check_batches,
    choose_devices,
    describe_devices,
    replicated,
    spread_over_devices,
)
from tests.conftest import ROOT


def test_two_devices_equal_one_up_to_rounding() -> None:
    """With clipping, accumulation, penalties, a moving average, and an odd last batch."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.two_devices"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for optimizer in ("sgd", "adam"):
        assert found[optimizer]["weights"] < 2e-6
        assert found[optimizer]["loss"] < 2e-6
    assert found["float16"] < 1.2
    assert found["devices"] == ["/device:CPU:0", "/device:CPU:1"]
    assert found["note"] == "each batch was shared by 2 devices (CPU)"


def test_this_machine_has_one() -> None:
    assert len(choose_devices(1)) == len(choose_devices("all")) == 1
    words = r"asked for 2 devices, this machine has 1 \(CPU\); use train.devices: all, or 1"
    with pytest.raises(ConfigError, match=words):
        choose_devices(2)
    assert describe_devices(1) is None
    assert "this machine has one device (CPU)" in (describe_devices("all") or "")


def test_on_one_device_nothing_is_wrapped() -> None:
    import keras

    model, optimizer = keras.Sequential([keras.Input((1,))]), keras.optimizers.SGD()
    with replicated(model, ["/device:CPU:0"]) as same:
        assert same is model
    assert spread_over_devices(check_batches) is check_batches  # type: ignore[comparison-overlap]
    assert applier(optimizer) == optimizer.apply


def test_keras_still_adds_up_gradients_where_we_take_that_out() -> None:
    from keras.src.backend.tensorflow.optimizer import TFOptimizer

    assert callable(TFOptimizer._all_reduce_sum_gradients)


def test_a_batch_that_leaves_a_device_without_a_sample() -> None:
    check_batches(samples=10, batch_size=4, devices=2)
    check_batches(samples=9, batch_size=4, devices=1)
    words = "4 leaves batches of 1 of 9 samples, fewer than the 2 devices"
    with pytest.raises(ConfigError, match=words):
        check_batches(samples=9, batch_size=4, devices=2)
