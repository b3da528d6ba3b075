"""MobileNetV2 and VGG16 from the configuration to a .tflite that ran; tiny, and still whole.

The ready configurations are checked as they are, and run with fewer samples and epochs. Pruning
is left out: it takes minutes with networks of this size, and smaller ones show it elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.load import load_config
from pipeline.tflite.inspect import inspect
from tests.conftest import ROOT
from tests.integration.conftest import slimline

TINY = {
    "vgg16": ("data.max_train_samples=64", "train.epochs=1"),
    # The statistics of 50 normalizations in a row need some steps before a signal comes through.
    "mobilenet_v2": ("data.max_train_samples=200", "train.batch_size=8", "train.epochs=3"),
}


def run(name: str, folder: Path, *overrides: str) -> None:
    words = [word for override in overrides for word in ("--set", override)]
    done = slimline("run", ROOT / "configs" / f"{name}.yaml", *words, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr


def manifest(folder: Path, name: str, stage: str) -> dict[str, Any]:
    path = folder / "artifacts" / name / stage / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("name", ["vgg16", "mobilenet_v2"])
def test_the_ready_configurations_are_valid_and_need_no_network(name: str) -> None:
    config = load_config(ROOT / "configs" / f"{name}.yaml")
    assert config.data.source == "digits"
    assert config.model.weights == "none"


@pytest.mark.parametrize("name", TINY)
def test_a_ready_configuration_ends_in_a_file_that_ran(name: str, tmp_path: Path) -> None:
    run(
        name, tmp_path, *TINY[name], "train.schedule={kind: constant}",
        "export.min_label_agreement=0", "stages=[train, quantize, export]",
    )  # fmt: skip
    export = manifest(tmp_path, name, "export")["metrics"]
    files = {file["name"]: file for file in export["files"]}
    assert files["int8"]["size_bytes"] < files["float"]["size_bytes"] / 2
    assert files["int8"]["inputs"][0]["dtype"] == "int8"
    assert files["float"]["parity"]["max_difference"] < 1e-3
    inspection = inspect(tmp_path / "artifacts" / name / "export" / "int8.tflite")
    assert inspection.parameters > {"vgg16": 14_000_000, "mobilenet_v2": 350_000}[name]
