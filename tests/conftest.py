"""Fixtures for all tests: real data where it is, and a chain without TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is unset."""
    folder = os.environ.get("SLIMLINE_DATA")
    if not folder:
        pytest.skip("SLIMLINE_DATA is unset: no real data sets here")
    return Path(folder)


@pytest.fixture
def small_config() -> dict[str, Any]:
    """A chain on digits that takes seconds."""
    return {
        "run": {"name": "small", "seed": 0},
        "data": {"source": "digits", "max_train_samples": 300},
        "model": {"architecture": "mlp", "units": [16], "dropout": 0.1},
        "train": {"epochs": 4, "optimizer": {"name": "adam", "learning_rate": 0.01}},
        "tune": {"max_trials": 2, "epochs": 1},
        "prune": {
            "epochs": 3,
            "pruning_schedule": {"kind": "polynomial", "final_sparsity": 0.5, "end_step": "50%"},
        },
        "export": {"parity_samples": 50},
        "evaluate": {"latency_runs": 10},
    }


@pytest.fixture
def clean_warnings() -> Iterator[None]:
    """Puts back what the command line does to warnings."""
    import warnings

    shown = warnings.showwarning
    yield
    warnings.showwarning = shown
