"""What a search finds for the later stages is what they use, in a real chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import api
from pipeline.artifacts.store import Store
from pipeline.config.load import validate
from pipeline.plan import make_plan
from pipeline.results import RunResult

SPARSITY = "prune.pruning_schedule.final_sparsity"
CONFIG = {
    "run": {"name": "tuned"},
    "data": {"source": "digits", "max_train_samples": 200},
    "model": {"architecture": "mlp", "units": [8]},
    "train": {"epochs": 2, "optimizer": {"learning_rate": 0.01}},
    "prune": {
        "epochs": 1,
        "pruning_schedule": {"kind": "constant", "final_sparsity": 0.25},
        "distribution": "uniform",
    },
    "tune": {
        "max_trials": 2,
        "objective": "parameters",
        "constraints": {"max_accuracy_drop": 1.0},
        "search_space": {
            SPARSITY: {"choice": [0.5, 0.75]},
            "model.units": {"list": {"choice": [3, 4]}, "length": 1},
        },
        "epochs": 1,
    },
    "stages": ["train", "tune", "prune"],
}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    folder = tmp_path_factory.mktemp("tuned")
    return folder, api.run(CONFIG, artifacts=folder)


def test_prune_uses_what_tune_has_found(tuned: tuple[Path, RunResult]) -> None:
    folder, result = tuned
    found = result.metrics["tune"]
    assert found["replaced"], "fewer parameters than the model before"
    best = found["hyperparameters"]
    assert found["overrides"] == {SPARSITY: best[SPARSITY]}
    assert found["parameters"] == min(t["figures"]["parameters"] for t in found["trials"])
    pruned = result.metrics["prune"]
    assert {layer["target"] for layer in pruned["layers"]} == {best[SPARSITY]}
    # the winner, trained in full and pruned as a trial is, was measured before prune did the same
    assert pruned["validation"]["loss"] == found["figures"]["winner"]["val_loss"]
    assert pruned["sparsity"] == found["figures"]["winner"]["sparsity"]
    plan = make_plan(validate(CONFIG), Store(folder), "tuned")
    assert {line.state for line in plan} == {"cached"}
    other = {**CONFIG, "prune": {**CONFIG["prune"], "epochs": 2}}  # type: ignore[dict-item]
    states = {
        line.stage: line.reason for line in make_plan(validate(other), Store(folder), "tuned")
    }
    assert states["tune"] == "prune.epochs changed"
