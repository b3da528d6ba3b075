"""Every optimizer and every schedule, trained on digits: does the loss fall, did the formula run?

    .venv/bin/python benchmarks/optimizers_and_schedules.py

Each case is a real run of the stages data and train (or train and prune, which trains in
tf_keras) of a small MLP. What schedule.csv recorded is compared, step by step, with the formula:
with Keras's own class where there is one, otherwise with a few lines written here. Killed, it
goes on where it stopped. Writes benchmarks/optimizers_and_schedules.json and the tables of
docs/optimizers_and_schedules.md; ends with exit code 1 if a case fails.
"""

from __future__ import annotations

import argparse
import csv
import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pipeline
from pipeline.artifacts.files import write_bytes_atomic, write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.bridge.optimizers_table import TF_KERAS_OPTIMIZERS
from pipeline.config.optimizer import OPTIMIZERS

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "benchmarks/optimizers_and_schedules.json"
PAGE = ROOT / "docs/optimizers_and_schedules.md"
WORK = ROOT / "artifacts/optimizers_and_schedules"
SEED, EPOCHS, BATCH_SIZE = 0, 5, 64
# Of the learning rate: Keras's classes compute in float32.
TOLERANCE = 2e-6

RATES = {
    "adadelta": 5.0, "adafactor": 0.1, "adagrad": 0.1, "adamax": 0.02, "ftrl": 0.5, "lion": 0.001,
    "muon": 0.02, "sgd": 0.1, "lamb": 0.02,
}  # fmt: skip


@dataclass(frozen=True)
class Training:
    """What a formula may know: S steps, E of them to an epoch, rate r, and what was reached."""

    steps: int
    per_epoch: int
    rate: float
    history: list[dict[str, float]]


Formula = Callable[[Training], Iterator[float]]


@dataclass(frozen=True)
class Case:
    """One training: its settings, and the rate that each of its steps should have had."""

    what: str
    name: str
    settings: dict[str, Any]
    formula: Formula
    written: str
    stage: str = "train"
    updates: int | None = field(default=None)


def constant(t: Training) -> Iterator[float]:
    return (t.rate for _ in range(t.steps))


def of_keras(make: Callable[[Any, Training], Any]) -> Formula:
    """The formula that a class of keras.optimizers.schedules computes."""

    def formula(t: Training) -> Iterator[float]:
        import keras
        import numpy as np

        schedule = make(keras.optimizers.schedules, t)
        return (float(schedule(np.int64(step))) for step in range(t.steps))

    return formula


def step_decay(t: Training) -> Iterator[float]:
    return (t.rate / 2 ** (step // (2 * t.per_epoch)) for step in range(t.steps))


def warm_start(t: Training) -> Iterator[float]:
    for step in range(t.steps):
        done = min(step / t.per_epoch, 1.0)
        yield t.rate * (0.1 + 0.9 * done)


def one_cycle(t: Training) -> Iterator[float]:
    """Smith and Topin's cycle with torch's cosine: up 30 % of the steps, then down."""
    peak, last = round(0.3 * t.steps) - 1, t.steps - 1
    for step in range(t.steps):
        low = 1 / 25 if step <= peak else 4e-6
        part = step / peak if step <= peak else (last - step) / (last - peak)
        yield t.rate * (low + (1 - low) * math.sin(math.pi / 2 * part) ** 2)


def hold_then_decay(t: Training) -> Iterator[float]:
    """The function that tutorials give to keras.callbacks.LearningRateScheduler."""
    rate = t.rate
    for epoch in range(t.steps // t.per_epoch):
        rate = rate if epoch < 2 else rate * math.exp(-0.1)
        yield from [rate] * t.per_epoch


def plateau(t: Training) -> Iterator[float]:
    """keras.callbacks.ReduceLROnPlateau, shown the validation losses that were reached."""
    import keras

    optimizer = keras.optimizers.SGD(t.rate)
    callback = keras.callbacks.ReduceLROnPlateau(
        "val_loss", factor=0.5, patience=1, min_delta=0.1, min_lr=0.003
    )
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    for epoch, row in enumerate(t.history):
        yield from [float(optimizer.learning_rate)] * t.per_epoch
        callback.on_epoch_end(epoch, {"val_loss": row["val_loss"]})


PLATEAU = {
    "kind": "reduce_on_plateau", "factor": 0.5, "patience": 1, "min_delta": 0.1, "min_lr": 0.003,
}  # fmt: skip
SCHEDULES: list[tuple[str, dict[str, Any], Formula, str]] = [
    ("constant", {"kind": "constant"}, constant, "r"),
    (
        "constant with warm-up",
        {"kind": "constant", "warmup": "1 epochs", "warmup_start_fraction": 0.1},
        warm_start,
        "r · (0.1 + 0.9 · min(s / E, 1))",
    ),
    ("step", {"kind": "step", "drop": 0.5, "every": "2 epochs"}, step_decay, "r / 2^⌊s / 2E⌋"),
    (
        "piecewise",
        {"kind": "piecewise", "boundaries": ["2 epochs", "75%"], "factors": [1, 0.5, 0.1]},
        of_keras(
            lambda k, t: k.PiecewiseConstantDecay(
                [2 * t.per_epoch - 1, round(0.75 * t.steps) - 1], [t.rate, t.rate / 2, t.rate / 10]
            )
        ),
        "Keras's PiecewiseConstantDecay",
    ),
    (
        "exponential",
        {"kind": "exponential", "decay_rate": 0.7},
        of_keras(lambda k, t: k.ExponentialDecay(t.rate, t.per_epoch, 0.7)),
        "Keras's ExponentialDecay",
    ),
    (
        "exponential, staircase",
        {"kind": "exponential", "decay_rate": 0.7, "staircase": True},
        of_keras(lambda k, t: k.ExponentialDecay(t.rate, t.per_epoch, 0.7, staircase=True)),
        "Keras's ExponentialDecay, staircase",
    ),
    (
        "inverse_time",
        {"kind": "inverse_time", "decay_rate": 0.5},
        of_keras(lambda k, t: k.InverseTimeDecay(t.rate, t.per_epoch, 0.5)),
        "Keras's InverseTimeDecay",
    ),
    (
        "polynomial",
        {"kind": "polynomial", "power": 2.0, "final_fraction": 0.01},
        of_keras(lambda k, t: k.PolynomialDecay(t.rate, t.steps, t.rate / 100, power=2.0)),
        "Keras's PolynomialDecay",
    ),
    (
        "polynomial, cycle",
        {"kind": "polynomial", "decay_steps": "2 epochs", "cycle": True},
        of_keras(lambda k, t: k.PolynomialDecay(t.rate, 2 * t.per_epoch, 0.0, cycle=True)),
        "Keras's PolynomialDecay, cycle",
    ),
    (
        "cosine with warm-up",
        {"kind": "cosine", "warmup": "1 epochs"},
        of_keras(
            lambda k, t: k.CosineDecay(
                0.0, t.steps - t.per_epoch, warmup_target=t.rate, warmup_steps=t.per_epoch
            )
        ),
        "Keras's CosineDecay with warmup_steps",
    ),
    (
        "cosine_restarts",
        {"kind": "cosine_restarts", "first_decay_steps": "1 epochs", "m_mul": 0.8},
        of_keras(lambda k, t: k.CosineDecayRestarts(t.rate, t.per_epoch, t_mul=2.0, m_mul=0.8)),
        "Keras's CosineDecayRestarts",
    ),
    ("one_cycle", {"kind": "one_cycle"}, one_cycle, "sin² up to 30 %, down to 4e-6"),
    (
        "hold_then_decay",
        {"kind": "hold_then_decay", "hold": "2 epochs"},
        hold_then_decay,
        "the tutorials' function of the epoch",
    ),
    ("reduce_on_plateau", PLATEAU, plateau, "Keras's ReduceLROnPlateau on the same losses"),
]


def all_cases() -> list[Case]:
    """Every optimizer in Keras 3, every one that tf_keras has while pruning, every schedule."""
    cases = [Case("optimizer", name, {"optimizer": settings(name)}, constant, "r") for name in OPTIMIZERS]
    momentum = settings("sgd") | {"momentum": 0.9, "nesterov": True, "learning_rate": 0.02}
    more: list[tuple[str, dict[str, Any]]] = [
        ("sgd, Nesterov momentum", {"optimizer": momentum}),
        ("adam, use_ema", {"optimizer": settings("adam") | {"use_ema": True, "ema_momentum": 0.9}}),
        (
            "adam, 4 batches of 16 accumulated",
            {"optimizer": settings("adam") | {"gradient_accumulation_steps": 4}, "batch_size": 16},
        ),
        ("adam, batch_size: full", {"optimizer": settings("adam"), "batch_size": "full"}),
    ]
    cases += [Case("variant", name, values, constant, "r") for name, values in more]
    cases += [
        Case("optimizer", name, {"optimizer": settings(name)}, constant, "r", "prune")
        for name in TF_KERAS_OPTIMIZERS
    ]
    for stage, wanted in (("train", None), ("prune", ("one_cycle", "reduce_on_plateau"))):
        cases += [
            Case("schedule", name, {"optimizer": settings("adam"), "schedule": values}, formula,
                 written, stage)
            for name, values, formula, written in SCHEDULES
            if wanted is None or name in wanted
        ]  # fmt: skip
    return cases


def settings(optimizer: str) -> dict[str, Any]:
    return {"name": optimizer, "learning_rate": RATES.get(optimizer, 0.01)}


def configuration(case: Case) -> dict[str, Any]:
    """The run of a case; one that prunes begins with a model that has hardly learned."""
    own = {"epochs": EPOCHS, "batch_size": BATCH_SIZE, **case.settings}
    values: dict[str, Any] = {
        "run": {"seed": SEED, "name": f"{case.stage}-{case.name}".replace(", ", "-").replace(" ", "-").replace(":", "")},
        "data": {"source": "digits", "preprocessing": {"kind": "rescale"}},
        "model": {"architecture": "mlp", "units": [32]},
        "stages": ["train"],
        "train": own,
    }
    if case.stage == "prune":
        values["train"] = {"epochs": 1, "optimizer": {"name": "sgd", "learning_rate": 0.05}}
        own["pruning_schedule"] = {"kind": "polynomial", "final_sparsity": 0.5, "end_step": "60%"}
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
    samples = data["splits"]["train"]["samples"]
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
        print(f"{'ok  ' if row['ok'] else 'FAIL'} {row['kind']:9} {row['stage']:5} {row['name']:34}"
              f" loss {row['first_loss']:.3f} → {row['last_loss']:.3f}"
              f"  deviation {row['largest_deviation']:.1e}  {row['seconds']} s", flush=True)  # fmt: skip
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
