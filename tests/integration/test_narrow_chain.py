"""train → narrow → quantize → export in this process: half the work is in the file that ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from pipeline import api
from pipeline.errors import PromiseError
from pipeline.results import RunResult
from pipeline.tflite.inspect import inspect

CONFIG: dict[str, Any] = {
    "run": {"name": "narrowed"},
    "data": {"source": "digits", "max_train_samples": 400},
    "model": {"architecture": "resnet_8", "filters": 8},
    "train": {"epochs": 4, "optimizer": {"name": "adam", "learning_rate": 0.01}},
    "narrow": {
        "epochs": 2, "samples": 64, "min_channels": 2, "optimizer": {"name": "adam"},
    },
    "export": {"min_label_agreement": 0.5},
    "stages": ["train", "narrow", "quantize", "export"],
}  # fmt: skip


@pytest.fixture(scope="module")
def narrowed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    folder = tmp_path_factory.mktemp("narrowed")
    return folder, api.run(CONFIG, artifacts=folder)


def test_half_the_multiply_accumulates_are_in_every_file(
    narrowed: tuple[Path, RunResult],
) -> None:
    folder, result = narrowed
    macs = result.metrics["narrow"]["macs"]
    files = {
        name: inspect(folder / "narrowed" / "export" / f"{name}.tflite")
        for name in ("float", "narrowed", "int8")
    }
    assert files["float"].total_macs == macs["before"]
    for name in ("narrowed", "int8"):
        assert files[name].total_macs == macs["after"]
        # Half, and not much less: the last unit given back is a few hundredths of it.
        assert 0.45 * macs["before"] < files[name].total_macs <= 0.5 * macs["before"]
    assert result.metrics["export"]["deploy"] == "int8.tflite"


def test_a_plain_keras_model_with_the_same_layers(narrowed: tuple[Path, RunResult]) -> None:
    folder, result = narrowed
    load = keras.saving.load_model
    before = load(folder / "narrowed" / "train" / "model.keras")
    after = load(folder / "narrowed" / "narrow" / "model.keras")
    assert [layer.name for layer in after.layers] == [layer.name for layer in before.layers]
    figures = result.metrics["narrow"]
    assert after.count_params() == figures["parameters"]["after"] < before.count_params()
    assert len(figures["history"]) == 2
    assert figures["validation"]["loss"] < figures["narrowed"]["loss"]


def test_a_target_that_cannot_be_met_is_told_with_the_figure(
    narrowed: tuple[Path, RunResult],
) -> None:
    folder, _ = narrowed
    wanted = ["narrow.target={macs: 0.001}", "narrow.importance=l1"]
    with pytest.raises(PromiseError, match=r"target\.macs 0\.001 cannot be met: 0\.\d+ remain"):
        api.run(CONFIG, artifacts=folder, overrides=wanted)
