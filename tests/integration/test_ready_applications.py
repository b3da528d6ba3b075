"""MobileNetV2 and VGG16 from the configuration to a .tflite that ran; tiny, and still whole.

The ready configurations are checked as they are, and run with fewer samples and epochs. Tracing
the gradients of all 150 layers of MobileNetV2 would take a minute, so here only its head and
last block are trained, and VGG16 is the one that is pruned.
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

TINY = ("data.max_train_samples=64", "export.min_label_agreement=0", "evaluate.latency_runs=10")


def run(name: str, folder: Path, *overrides: str) -> dict[str, Any]:
    words = [word for override in (*TINY, *overrides) for word in ("--set", override)]
    done = slimline("run", ROOT / "configs" / f"{name}.yaml", *words, "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads((folder / "artifacts" / name / "run.json").read_text())
    return record


def manifest(folder: Path, name: str, stage: str) -> dict[str, Any]:
    path = folder / "artifacts" / name / stage / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.mark.parametrize("name", ["vgg16", "mobilenet_v2"])
def test_the_ready_configurations_are_valid_and_need_no_network(name: str) -> None:
    config = load_config(ROOT / "configs" / f"{name}.yaml")
    assert config.data.source == "digits"
    assert config.model.weights == "none"


def test_mobilenet_v2_in_two_phases(tmp_path: Path) -> None:
    transfer = "{unfreeze_from: block_16_*, epochs: 1, optimizer: {name: adam}}"
    record = run(
        "mobilenet_v2", tmp_path, "train.epochs=1", "train.schedule={kind: constant}",
        f"train.transfer={transfer}",
        "stages=[train, quantize, export, evaluate]",
    )  # fmt: skip
    rows = {row["name"]: row for row in record["figures"]["files"]}
    assert rows["int8"]["size_bytes"] < rows["float"]["size_bytes"] / 2
    training = manifest(tmp_path, "mobilenet_v2", "train")
    assert [phase["epochs_run"] for phase in training["metrics"]["phases"]] == [1, 1]
    assert any("random weights" in note for note in training["notes"])


def test_vgg16_is_pruned_and_quantized(tmp_path: Path) -> None:
    record = run(
        "vgg16", tmp_path, "train.epochs=1", "prune.epochs=1", "prune.pruning_schedule.end_step=1",
        "prune.pruning_schedule.frequency=1", "stages=[train, prune, quantize, export, evaluate]",
    )  # fmt: skip
    rows = {row["name"]: row for row in record["figures"]["files"]}
    export = tmp_path / "artifacts" / "vgg16" / "export"
    assert inspect(export / "int8.tflite").sparsity >= 0.8 - 1e-3
    assert rows["int8"]["size_bytes"] < 16_000_000 < rows["float"]["size_bytes"]
    assert manifest(tmp_path, "vgg16", "prune")["metrics"]["crossing"]["layers"] > 20
