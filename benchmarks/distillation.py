"""A teacher's answers and features, three seeds: the tables of docs/distill.md.

    python benchmarks/distillation.py student      # configs/digits_distilled.yaml, a small student
    python benchmarks/distillation.py student_mlp  # the same, another one
    python benchmarks/distillation.py prune        # configs/digits_clustered.yaml, 97 % zeros
    SLIMLINE_DATA=… python benchmarks/distillation.py fashion   # 95 % zeros, 20,000 samples

Validation figures; the test split is not read. Writes distillation.json, whose rows of the other
tables stay; what is finished is kept in the artifacts folder and not made again.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import pipeline
from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.record import LIBRARIES

FOLDER = Path(__file__).resolve().parent
ROOT, RESULT = FOLDER.parent, FOLDER / "distillation.json"
SEEDS = (0, 1, 2)
MLP = {"architecture": "mlp", "units": [16], "initializer": "he_normal"}
# Keys of the section `distill` that are not those of a training.
TEACHING = ("student", "temperature", "alpha", "features")
STUDENT = {"architecture": "small_cnn", "filters": [4, 8], "units": 16, "initializer": "he_normal"}


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        config: a shipped configuration, by its name.
        overrides: of it, for every row.
        stage: whose validation figures are told; `train` goes before it.
        field: what the rows set.
        rows: name → value of `field`.
    """

    config: str
    overrides: tuple[str, ...]
    stage: str
    field: str
    rows: Mapping[str, Any]


def features(layers: Any, **settings: Any) -> dict[str, Any]:
    """Returns a section `features`."""
    return {"layers": layers, **settings}


def _fashion() -> tuple[str, ...]:
    path = Path(os.environ.get("SLIMLINE_DATA", "")) / "fashion_mnist.npz"
    return (f"data.path={path}",) if path.is_file() else ()


def _student(
    alpha: float, wanted: Any = None, temperature: float = 2.0, student: Any = STUDENT
) -> dict[str, Any]:
    return {
        "student": student, "alpha": alpha, "features": wanted, "temperature": temperature,
    }  # fmt: skip


def tables() -> dict[str, Table]:
    """Returns the tables by name."""
    pair, cosine = ["dense_1*activation"], {"loss": "cosine"}
    return {
        "student": Table(
            "digits_distilled", (), "distill", "distill",
            {
                "answers": _student(0.5),
                "answers, T 4, alpha 0.7": _student(0.7, temperature=4.0),
                "dense_1, mse": _student(0.5, features({"dense_1": "dense_1"})),
                "dense_1, mse, weight 0.1": _student(
                    0.5, features({"dense_1": "dense_1"}, weight=0.1)
                ),
                "dense_1, cosine": _student(0.5, features({"dense_1": "dense_1"}, **cosine)),
                "conv_2, mse": _student(0.5, features({"conv_2": "conv_2"})),
                "conv_2, cosine": _student(0.5, features({"conv_2": "conv_2"}, **cosine)),
                "conv_2, cosine, alpha 0": _student(0, features({"conv_2": "conv_2"}, **cosine)),
            },
        ),
        "student_mlp": Table(
            "digits_distilled", (), "distill", "distill",
            {
                "answers": _student(0.5, student=MLP),
                "answers, T 4, alpha 0.7": _student(0.7, temperature=4.0, student=MLP),
            },
        ),
        "prune": Table(
            "digits_clustered",
            ("prune.epochs=15", "prune.pruning_schedule.final_sparsity=0.97"),
            "prune", "prune.distillation",
            {
                "null": None,
                "{}": {},
                "dense_1, mse": {"features": features(["dense_1"])},
                "dense_1, cosine": {"features": features(["dense_1"], **cosine)},
                "conv_2 and dense_1, cosine": {
                    "features": features(["conv_2", "dense_1"], **cosine)
                },
                "alpha 1": {"alpha": 1.0},
                "alpha 1, dense_1, cosine": {
                    "alpha": 1.0, "features": features(["dense_1"], **cosine)
                },
                "alpha 1, conv_2 and dense_1, mse": {
                    "alpha": 1.0, "features": features(["conv_2", "dense_1"])
                },
            },
        ),
        "fashion": Table(
            "fashion_mnist_cnn",
            (
                "data.validation_fraction=0.2", "data.max_train_samples=20000",
                "prune.pruning_schedule.final_sparsity=0.95", "prune.distribution=uniform",
                *_fashion(),
            ),
            "prune", "prune.distillation",
            {
                "null": None,
                "alpha 1": {"alpha": 1.0},
                "alpha 1, dense_1, cosine": {"alpha": 1.0, "features": features(pair, **cosine)},
                "alpha 1, conv_3 and dense_1, mse": {
                    "alpha": 1.0, "features": features(["conv_3*activation", *pair])
                },
            },
        ),
    }  # fmt: skip


def _run(
    table: Table, name: str, seed: int, artifacts: Path, stage: str, changes: tuple[str, ...]
) -> dict[str, Any]:
    stages = "train" if stage == "train" else f"train,{stage}"
    result = pipeline.run(
        ROOT / "configs" / f"{table.config}.yaml", artifacts=artifacts, name=name,
        overrides=[f"run.seed={seed}", f"stages=[{stages}]", *table.overrides, *changes],
    )  # fmt: skip
    figures: dict[str, Any] = result.metrics[stage]["validation"]
    return {**figures, "before": result.metrics["train"]["validation"]["accuracy"]}


def _changes(field: str, value: Any) -> tuple[str, ...]:
    """A mapping in an override takes the place of the whole section: `distill` keeps its own."""
    if field == "distill":
        return tuple(f"distill.{key}={json.dumps(one)}" for key, one in value.items())
    return (f"{field}={json.dumps(value)}",)


def _labels_alone(table: Table) -> tuple[str, ...]:
    """The student's own training as the section `distill` says it, without a teacher."""
    path = ROOT / "configs" / f"{table.config}.yaml"
    section = yaml.safe_load(path.read_text(encoding="utf-8"))["distill"]
    training = {key: section[key] for key in section if key not in TEACHING}
    student = next(iter(table.rows.values()))["student"]
    return (f"model={json.dumps(student)}", f"train={json.dumps(training)}")


def main() -> None:
    """Runs one table and writes its rows."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("table", choices=tables())
    parser.add_argument("--artifacts", type=Path, default=ROOT / "artifacts")
    chosen = parser.parse_args()
    table = tables()[chosen.table]
    made: dict[str, list[dict[str, Any]]] = {}
    for seed in SEEDS:
        for number, (label, value) in enumerate(table.rows.items()):
            name = f"distillation_{chosen.table}_{number}_{seed}"
            row = _run(
                table, name, seed, chosen.artifacts, table.stage, _changes(table.field, value)
            )
            made.setdefault(label, []).append(row)
        if table.stage == "distill":
            row = _run(
                table, f"distillation_{chosen.table}_labels_{seed}", seed, chosen.artifacts,
                "train", _labels_alone(table),
            )  # fmt: skip
            made.setdefault("labels alone", []).append(row)
    found = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {"tables": {}}
    told = {"host": describe_host(), "versions": library_versions(LIBRARIES), "seeds": SEEDS}
    write_json_atomic(RESULT, {**told, "tables": {**found["tables"], chosen.table: made}})
    for label, rows in made.items():
        accuracies = ", ".join(f"{100 * row['accuracy']:.1f}" for row in rows)
        losses = ", ".join(f"{row['loss']:.3f}" for row in rows)
        print(f"{label:36s} {accuracies}   {losses}")


if __name__ == "__main__":
    main()
