"""The cases of optimizers_and_schedules.py, and the formulae that it holds them to.

Written without a look at pipeline/training/schedules.py: Keras's own class where there is one,
otherwise a few lines of plain arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from pipeline.bridge.optimizers_table import TF_KERAS_OPTIMIZERS
from pipeline.config.optimizer import OPTIMIZERS

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
    cases = [
        Case("optimizer", name, {"optimizer": settings(name)}, constant, "r") for name in OPTIMIZERS
    ]
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
