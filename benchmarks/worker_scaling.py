"""Trials a minute of `--workers 2` against `--workers 1`, each worker with one thread.

    python benchmarks/worker_scaling.py            # 5 interleaved pairs

Each run is the same random search on digits in fresh worker processes. Writes
worker_scaling.json: for each run the trials a minute between the first lease and the last end
(steady), and over the whole run with the seconds in which the workers import TensorFlow
(whole); the median of the five ratios of each. A machine with other work on it is told by its
load, which is recorded.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.config.load import as_plain_data, validate
from pipeline.config.schema import Config
from pipeline.data.prepare import load_data, prepare_data, save_preparation
from pipeline.data.prepared import PreparedData
from pipeline.progress import SilentProgress
from pipeline.record import LIBRARIES
from pipeline.tuning.pool import WorkerPool
from pipeline.tuning.search import search
from pipeline.tuning.worker import setup_for

RESULT = Path(__file__).resolve().parent / "worker_scaling.json"
GOAL = 1.7


def make_config(trials: int, epochs: int) -> Config:
    """Returns a search whose trials all take the same time."""
    space = {"train.optimizer.learning_rate": {"float": [1e-4, 1e-2], "sampling": "log"}}
    return validate(
        {
            "run": {"name": "worker_scaling"},
            "data": {"source": "digits"},
            "model": {"architecture": "small_cnn", "filters": [8, 16], "units": 32},
            "tune": {"search_space": space, "max_trials": trials, "epochs": epochs},
            "stages": ["tune"],
        }
    )


def measure(workers: int, config: Config, data: PreparedData, folder: Path) -> dict[str, float]:
    """Runs the search once; returns its trials a minute."""
    setup = setup_for(as_plain_data(config), 0, folder, None)
    with tempfile.TemporaryDirectory() as work:
        began = time.perf_counter()
        with contextlib.closing(WorkerPool(workers, setup, threads=1)) as pool:
            found = search(config, data, 0, Path(work), SilentProgress(), pool)
        whole = time.perf_counter() - began
        (ledger,) = Path(work).glob("*/ledger.jsonl")
        lines = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    first = min(line["time"] for line in lines if line["event"] == "leased")
    steady = max(line["time"] for line in lines if line["event"] == "ended") - first
    minutes = {"steady": steady / 60, "whole": whole / 60}
    return {name: len(found.trials) / value for name, value in minutes.items()}


def run(pairs: int, config: Config, folder: Path) -> dict[str, Any]:
    """Runs interleaved pairs and returns the result."""
    save_preparation(prepare_data(config.data, 0), folder)
    data = load_data(config.data, folder, ("train", "validation"))
    rows: list[dict[str, Any]] = []
    for number in range(pairs):
        # Each goes first in turn, so that a machine that warms up or slows down favours neither.
        order = (1, 2) if number % 2 == 0 else (2, 1)
        row: dict[str, Any] = {"load": round(os.getloadavg()[0], 2)}
        row |= {f"workers_{n}": measure(n, config, data, folder) for n in order}
        rows.append(row)
        print(json.dumps(row), flush=True)
    ratios = {
        kind: [row["workers_2"][kind] / row["workers_1"][kind] for row in rows]
        for kind in ("steady", "whole")
    }
    return {
        "unit": "trials a minute",
        "trials": config.tune.max_trials,
        "epochs": config.tune.epochs,
        "pairs": rows,
        "ratios": ratios,
        "median_ratio": {kind: statistics.median(values) for kind, values in ratios.items()},
        "goal": GOAL,
        "host": describe_host(),
        "versions": library_versions(LIBRARIES),
    }


def main() -> None:
    """Measures, prints and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=40)
    chosen = parser.parse_args()
    from pipeline.runtime import start_tensorflow

    start_tensorflow(0)
    with tempfile.TemporaryDirectory() as folder:
        result = run(chosen.pairs, make_config(chosen.trials, chosen.epochs), Path(folder))
    write_json_atomic(RESULT, result)
    print(f"median ratio of trials a minute, two workers to one: {result['median_ratio']}")


if __name__ == "__main__":
    main()
