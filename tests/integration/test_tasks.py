"""Every task from arrays to a file that ran, with its own figures on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.tasks.task import TASKS
from tests.integration.conftest import slimline, write_config

SAMPLES = 240


def draw(task: str) -> dict[str, np.ndarray]:
    """Eight features whose sums and signs are the answers."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(SAMPLES, 8)).astype(np.float32)
    answers: dict[str, np.ndarray] = {
        "classification": np.eye(2, dtype=np.int64)[(x[:, 0] > x[:, 1]).astype(int)],  # one-hot
        "binary": (x[:, 0] + x[:, 1] > 0).astype(np.int64),
        "multi_label": np.stack([x[:, 0] > 0, x[:, 1] > 0, x[:, 2] > 0], axis=1).astype(np.int64),
        "regression": np.stack([100 + 50 * x[:, 0], x[:, 1] - x[:, 2]], axis=1),
    }
    return {"x": x} if task == "reconstruction" else {"x": x, "y": answers[task]}


def configure(task: str, folder: Path) -> Path:
    np.savez(folder / "samples.npz", **draw(task))
    model: dict[str, Any] = {"architecture": "mlp", "units": [16]}
    if task == "reconstruction":
        model = {"architecture": "autoencoder", "units": [16]}
    steps = {"epochs": 4, "optimizer": {"name": "adam", "learning_rate": 0.01}}
    metric = TASKS[task].metric
    values = {
        "data": {"source": "npz", "path": "samples.npz", "task": task},
        "model": model,
        "train": {**steps, "epochs": 25, "early_stopping": {"monitor": f"val_{metric}"}},
        "tune": {"objective": f"val_{metric}", "max_trials": 1, "epochs": 1},
        "prune": {**steps, "pruning_schedule": {"kind": "polynomial", "final_sparsity": 0.3}},
        "quantize": {"schemes": ["int8"]},
        "export": {"min_label_agreement": 0.9},
    }
    if task != "regression":
        # One chain with the search and quantization-aware training, the other three without.
        values["stages"] = ["train", "prune", "quantize", "export", "evaluate", "report"]
    else:
        values["quantize"] = {"method": "qat", "qat": steps, "max_error_increase": 10}
    return write_config(folder, values, f"{task}.yaml")


@pytest.mark.parametrize("task", [task for task in TASKS if task != "parity"])
def test_a_task_goes_through_the_whole_chain(task: str, tmp_path: Path) -> None:
    config = configure(task, tmp_path)
    done = slimline("run", config, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / f"artifacts/{task}/report/report.json").read_text())
    metric = TASKS[task].metric
    by_name = {row["name"]: row for row in report["files"]["rows"]}
    for row in by_name.values():
        low, high = row[f"{metric}_interval"]
        assert low <= row[metric] <= high
    full, small = by_name["float"][metric], by_name["int8"][metric]
    expected = {
        "classification": lambda v: v > 0.8,
        "binary": lambda v: v > 0.8,
        "multi_label": lambda v: v > 0.8,
        "regression": lambda v: v < 15.0,  # the mean of both targets' errors, in source units
        "reconstruction": lambda v: v < 0.5,  # the inputs have variance 1 before scaling
    }[task]
    assert expected(full) and expected(small)
    sidecar = json.loads((tmp_path / f"artifacts/{task}/export/int8.json").read_text())
    assert sidecar["inputs"][0]["dtype"] == "int8" == sidecar["outputs"][0]["dtype"]
