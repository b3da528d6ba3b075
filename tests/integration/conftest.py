"""Whole chains through the command line, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

Slimline = Callable[..., subprocess.CompletedProcess[str]]
COMMAND = [sys.executable, "-m", "pipeline"]


def environment() -> dict[str, str]:
    """The user's environment, with the source tree importable from any folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def slimline(*words: str | Path, cwd: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user would, output captured."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
        **options,
    )


def write_config(folder: Path, values: dict[str, Any], name: str = "small.yaml") -> Path:
    path = folder / name
    # By way of JSON: a dictionary that stands twice would become a YAML alias.
    path.write_text(yaml.safe_dump(json.loads(json.dumps(values))), encoding="utf-8")
    return path


def digests(folder: Path) -> dict[str, str]:
    """Stage → digest of a run that is done."""
    record = json.loads((folder / "run.json").read_text())
    return {stage["stage"]: stage["digest"] for stage in record["stages"]}


SMALL: dict[str, Any] = {
    "run": {"name": "small", "seed": 0},
    "data": {"source": "digits", "max_train_samples": 400},
    "model": {"architecture": "mlp", "units": [24], "dropout": 0.1},
    "train": {
        "epochs": 12,
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "early_stopping": {"patience": 6},
    },
    "tune": {"max_trials": 2, "epochs": 2},
    "prune": {
        "epochs": 6,
        "optimizer": {"name": "adam", "learning_rate": 0.005},
        "pruning_schedule": {"kind": "polynomial", "final_sparsity": 0.5, "end_step": "50%"},
    },
    "cluster": {
        "epochs": 2,
        "number_of_clusters": 8,
        "optimizer": {"name": "adam", "learning_rate": 0.001},
    },
    "quantize": {
        "method": "qat",
        "qat": {"epochs": 3, "optimizer": {"name": "adam", "learning_rate": 0.001}},
    },
    "export": {"min_label_agreement": 0.9},
    "evaluate": {"latency_runs": 10},
    "stages": ["train", "tune", "prune", "cluster", "quantize", "export", "evaluate", "report"],
}


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of SMALL, the whole chain with QAT; returns the folder it was run in."""
    folder = tmp_path_factory.mktemp("small")
    config = write_config(folder, SMALL)
    done = slimline("run", config, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder
