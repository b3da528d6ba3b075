"""Evolution against random search at equal trials, on a recorded table of real trainings.

    python benchmarks/evolution_against_random.py --record   trains every point once (resumable)
    python benchmarks/evolution_against_random.py            searches the table, ten seeds each

The table is what `slimline`'s own grid search measured on digits: 180 configurations, each really
trained for three epochs on 300 samples. The searches then look their trials up in it, so that ten
seeds cost seconds and every algorithm sees the same figures. Writes evolution_against_random.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.load import as_plain_data, validate
from pipeline.config.schema import Config

HERE = Path(__file__).resolve().parent
RESULT = HERE / "evolution_against_random.json"
SEEDS = range(10)
TRIALS = 40
OBJECTIVE = "val_loss"
SPACE: dict[str, Any] = {
    "model.units": {"list": {"choice": [8, 16, 32]}, "length": [1, 2]},
    "train.optimizer.name": {"choice": ["sgd", "adam"]},
    "train.optimizer.momentum": {"choice": [0.0, 0.9], "when": {"train.optimizer.name": "sgd"}},
    "train.optimizer.learning_rate": {"choice": [0.001, 0.003, 0.01, 0.03, 0.1]},
}
# Evolution against random is the question; --algorithm bayesian adds minutes of Gaussian processes.
ALGORITHMS: dict[str, dict[str, Any]] = {
    "random": {},
    "evolution": {"population_size": 10, "tournament_size": 3},
    "bayesian": {},
}


def make_config(**tune: Any) -> Config:
    """Returns the configuration that every point of the table varies."""
    return validate(
        {
            "run": {"name": "evolution_against_random", "seed": 0},
            "data": {"source": "digits", "max_train_samples": 300},
            "model": {"architecture": "mlp", "units": [16]},
            "train": {"epochs": 3, "batch_size": 32},
            "tune": {"search_space": SPACE, "epochs": 3, "objective": OBJECTIVE, **tune},
            "stages": ["tune"],
        }
    )


def record(work: Path) -> dict[str, Any]:
    """Trains every point of the space once; killed and called again it goes on."""
    from pipeline.data.prepare import load_data, prepare_data, save_preparation
    from pipeline.progress import SilentProgress
    from pipeline.tuning.pool import WorkerPool
    from pipeline.tuning.search import search
    from pipeline.tuning.worker import setup_for

    config = make_config(algorithm="grid")
    folder = work / "data"
    folder.mkdir(parents=True, exist_ok=True)
    save_preparation(prepare_data(config.data, 0), folder)
    data = load_data(config.data, folder, ("train", "validation"))
    pool = WorkerPool(1, setup_for(as_plain_data(config), 0, folder, None), threads=1)
    with contextlib.closing(pool):
        found = search(config, data, 0, work / "search", SilentProgress(), pool)
    rows = [[t["hyperparameters"], t["figures"].get(OBJECTIVE)] for t in found.trials]
    return {"objective": OBJECTIVE, "space": SPACE, "points": len(rows), "rows": rows}


def search_table(table: dict[str, Any], algorithm: str, seed: int) -> list[float]:
    """Returns the best figure after each of TRIALS trials."""
    from pipeline.tuning.oracle import Proposal, Proposer

    figures = {repr(sorted(values.items())): figure for values, figure in table["rows"]}
    config = make_config(algorithm=algorithm, max_trials=TRIALS, **ALGORITHMS[algorithm])
    best, curve = math.inf, []
    with tempfile.TemporaryDirectory() as scratch:
        proposer = Proposer(config.tune, seed, Path(scratch))
        while isinstance(proposal := proposer.propose(), Proposal):
            figure = figures[repr(sorted(proposal.hyperparameters.items()))]
            if figure is None:
                proposer.tell_failure(proposal, "recorded as failed")
            else:
                proposer.tell_score(proposal, figure)
                best = min(best, figure)
            curve.append(best)
    return curve


def compare(table: dict[str, Any], algorithms: list[str]) -> dict[str, Any]:
    """Searches the table with each algorithm and seed, and pairs them with random by seed."""
    figures = sorted(figure for _, figure in table["rows"] if figure is not None)
    goal = figures[max(0, len(figures) // 100 - 1)]  # in the best hundredth
    curves = {a: np.array([search_table(table, a, seed) for seed in SEEDS]) for a in algorithms}
    result: dict[str, Any] = {
        "trials": TRIALS,
        "seeds": len(SEEDS),
        "best_of_table": figures[0],
        "median_of_table": figures[len(figures) // 2],
        "best_hundredth": goal,
        "algorithms": {},
    }
    for name, curve in curves.items():
        reached = [int(np.argmax(row <= goal)) + 1 if row[-1] <= goal else None for row in curve]
        result["algorithms"][name] = {
            "settings": ALGORITHMS[name],
            "mean_best": {str(n): float(curve[:, n - 1].mean()) for n in (10, 20, 30, 40)},
            "best_per_seed": [float(value) for value in curve[:, -1]],
            "trials_to_best_hundredth": reached,
        }
        if name != "random":
            result["algorithms"][name]["against_random"] = {
                str(n): paired(curve[:, n - 1] - curves["random"][:, n - 1]) for n in (20, 30, 40)
            }
    return result


def paired(differences: np.ndarray) -> dict[str, Any]:
    """Returns the mean difference by seed with its 95 % interval; below 0 beats random."""
    from scipy import stats

    mean, count = float(differences.mean()), len(differences)
    half = float(stats.t.ppf(0.975, count - 1) * differences.std(ddof=1) / math.sqrt(count))
    better, worse = int((differences < 0).sum()), int((differences > 0).sum())
    p_value = stats.binomtest(better, better + worse).pvalue if better + worse else 1.0
    return {
        "mean_difference": mean,
        "interval": [mean - half, mean + half],
        "better": better,
        "equal": count - better - worse,
        "worse": worse,
        "sign_test_p": float(p_value),
    }


def main() -> None:
    """Records the table if asked, then compares, prints and writes the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--record", action="store_true", help="train the table anew")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "evolution")
    parser.add_argument(
        "--algorithm", action="append", choices=list(ALGORITHMS), help="default: evolution"
    )
    chosen = parser.parse_args()
    from pipeline.runtime import start_tensorflow

    start_tensorflow(0)
    if chosen.record:
        table = record(chosen.work)
    else:
        table = json.loads(RESULT.read_text(encoding="utf-8"))["table"]
    names = list(dict.fromkeys(["random", *(chosen.algorithm or ["evolution"])]))
    result = compare(table, names)
    print(json.dumps(result, indent=1))
    rows = ",\n".join(f"   {json.dumps(row)}" for row in table.pop("rows"))
    head = json.dumps({**result, "table": table}, indent=1)
    text = head[: head.rindex("}", 0, -2)].rstrip()
    RESULT.write_text(f'{text},\n  "rows": [\n{rows}\n  ]\n }}\n}}\n', encoding="utf-8")
    json.loads(RESULT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
