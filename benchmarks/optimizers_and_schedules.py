"""Every optimizer and every schedule, trained on digits: does the loss fall, did the formula run?

    .venv/bin/python benchmarks/optimizers_and_schedules.py

Each case is a real run of the stages data and train (or train and prune, which trains in
tf_keras) of a small MLP. What schedule.csv recorded is compared, step by step, with the formula:
with Keras's own class where there is one, otherwise with a few lines of arithmetic (the cases:
optimizer_and_schedule_cases.py). Killed, it goes on where it stopped. Writes
benchmarks/optimizers_and_schedules.json and the tables of docs/optimizers_and_schedules.md;
ends with exit code 1 if a case fails.
"""

from __future__ import annotations

import argparse
import csv
import math
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from optimizer_and_schedule_cases import Case, Training, all_cases

import pipeline
from pipeline.artifacts.files import write_bytes_atomic, write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/optimizers_and_schedules.json"
PAGE = ROOT / "docs/optimizers_and_schedules.md"
WORK = ROOT / "artifacts/optimizers_and_schedules"
SEED, EPOCHS, BATCH_SIZE = 0, 5, 64
# Of the learning rate: Keras's classes compute in float32.
TOLERANCE = 2e-6


def configuration(case: Case) -> dict[str, Any]:
    """The run of a case; one that prunes begins with a model that has hardly learned."""
    own = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, **case.settings}
    values: dict[str, Any] = {
        "run": {"seed": SEED, "name": re.sub(r"[^a-z0-9_]+", "-", f"{case.stage} {case.name}")},
        "data": {"source": "digits", "preprocessing": {"kind": "rescale"}},
        "model": {"architecture": "mlp", "units": [32]},
        "stages": ["train"],
        "train": own,
    }
    if case.stage == "prune":
        values["train"] = {"epochs": 1, "optimizer": {"name": "sgd", "learning_rate": 0.05}}
        own["pruning_schedule"] = {"kind": "polynomial", "final_sparsity": 0.5, "end_step": "60%"}
        own["distribution"] = "uniform"
        values |= {"prune": own, "stages": ["train", "prune"]}
    return values


def run_case(case: Case) -> dict[str, Any]:
    """Trains a case and compares; returns its row."""
    config = configuration(case)
    started = time.perf_counter()
    result = pipeline.run(config, artifacts=WORK)
    outcome = result.stages[case.stage]
    with (outcome.path / "schedule.csv").open() as file:
        ran = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    history = outcome.metrics["history"]
    rate = config[case.stage]["optimizer"]["learning_rate"]
    training = Training(len(ran), len(ran) // EPOCHS, rate, history)
    expected = list(case.formula(training))
    deviations = [abs(a - b) / rate for a, b in zip(ran, expected, strict=True)]
    checks = {
        "loss_fallen": history[-1]["loss"] < history[0]["loss"],
        "formula_ran": max(deviations) <= TOLERANCE,
        "steps": len(ran) == EPOCHS * updates(config[case.stage], result.stages["data"].metrics),
    }
    return {
        "kind": case.what, "name": case.name, "stage": case.stage, "settings": case.settings,
        "formula": case.written, "learning_rate": rate, "steps": len(ran),
        "first_loss": history[0]["loss"], "last_loss": history[-1]["loss"],
        "val_accuracy": outcome.metrics["validation"]["accuracy"],
        "last_rate": ran[-1], "largest_deviation": max(deviations),
        "checks": checks, "ok": all(checks.values()),
        "seconds": round(time.perf_counter() - started, 2),
    }  # fmt: skip


def updates(section: dict[str, Any], data: dict[str, Any]) -> int:
    """The optimizer's updates in an epoch, counted anew."""
    samples = data["samples"]["train"]
    size = samples if section["batch_size"] == "full" else section["batch_size"]
    batches = math.ceil(samples / size)
    return math.ceil(batches / section["optimizer"].get("gradient_accumulation_steps", 1))


def tables(rows: list[dict[str, Any]], result: dict[str, Any]) -> str:
    """The generated part of the page."""
    host = result["host"]
    lines = [
        f"{len(rows)} trainings of an MLP (64-32-10) on digits, {EPOCHS} epochs, batch size "
        f"{BATCH_SIZE}, seed {SEED}; Python {host['python']}, "
        + ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        + f"; {host['cpu']}, {host['cores']} cores. Loss: mean over the first and the last epoch "
        "of training. Deviation: largest difference at any step between the rate that ran and "
        "the formula, as a part of the learning rate (Keras computes its formulas in float32).",
    ]
    for title, kinds in (("Optimizers", ("optimizer", "variant")), ("Schedules", ("schedule",))):
        lines += ["", f"### {title}", ""]
        lines += ["| | stage | rate | steps | loss, first → last epoch | validation accuracy | "
                  "formula | deviation | |", "|---|---|---|---|---|---|---|---|---|"]  # fmt: skip
        for row in rows:
            if row["kind"] in kinds:
                lines.append(
                    f"| {row['name']} | {row['stage']} | {row['learning_rate']:g} → "
                    f"{row['last_rate']:.2g} | {row['steps']} | {row['first_loss']:.3f} → "
                    f"{row['last_loss']:.3f} | {row['val_accuracy']:.1%} | {row['formula']} | "
                    f"{row['largest_deviation']:.1e} | {'✓' if row['ok'] else 'FAILED'} |"
                )
    return "\n".join(lines)


def describe(row: dict[str, Any]) -> str:
    """One line of progress."""
    return (
        f"{'ok  ' if row['ok'] else 'FAIL'} {row['kind']:9} {row['stage']:5} {row['name']:34} "
        f"loss {row['first_loss']:.3f} → {row['last_loss']:.3f}  "
        f"deviation {row['largest_deviation']:.1e}  {row['seconds']} s"
    )


def write_page(table: str) -> None:
    """Puts the tables between the page's marks; the text around them is written by hand."""
    begin, end = "<!-- tables: begin -->", "<!-- tables: end -->"
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.partition(begin)[0], text.partition(end)[2]
    page = f"{before}{begin}\n{table}\n{end}{after}"
    write_bytes_atomic(PAGE, page.encode())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", action="store_true", help="forget what a killed call has done")
    if parser.parse_args().fresh:
        shutil.rmtree(WORK, ignore_errors=True)
    rows = []
    for case in all_cases():
        rows.append(row := run_case(case))
        print(describe(row), flush=True)
    result = {
        "seed": SEED, "epochs": EPOCHS, "batch_size": BATCH_SIZE, "tolerance": TOLERANCE,
        "host": describe_host(),
        "versions": library_versions(("tensorflow", "keras", "tf_keras", "numpy")),
        "cases": rows,
    }  # fmt: skip
    write_json_atomic(RESULT, result)
    write_page(tables(rows, result))
    # The next call shall train again: the store does not know that this code has changed.
    shutil.rmtree(WORK, ignore_errors=True)
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
