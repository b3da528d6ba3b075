"""The configuration that `slimline compress` runs: pruned while fine-tuned, then quantized."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pipeline.errors import ConfigError

# Fine-tuning needs updates more than epochs: few samples get more epochs, within limits.
UPDATES = 1500
EPOCHS = (3, 30)
BATCHES = (32, 128)
BATCH_OF_SAMPLES = 10_000
# Of Adam, where the file does not tell what the model was trained with. SGD's rates are larger.
DEFAULT_RATE, LARGEST_RATE = 5e-4, 3e-3
SPARSITY = 0.5
INTEGERS = ("int8", "int16x8", "int8x4")
CALIBRATED = ("quantize", "export", "evaluate", "report")
LEARNED = ("prune", "quantize", "export", "evaluate", "report")


@dataclass(frozen=True)
class Wishes:
    """What the user asked for.

    Attributes:
        sparsity: fraction of zeros in the pruned kernels, [0, 1); 0 leaves pruning out; None: the
            default, where the model can be pruned.
        scheme: of the file that ships: int8, int16x8, int8x4, float16, dynamic_range, int4, int2.
        max_accuracy_drop: bound on validation data, against the model as given.
        epochs: of each fine-tuning; None: as many as UPDATES updates need.
        task: name of a task; None: as the model tells.
    """

    sparsity: float | None = None
    scheme: str = "int8"
    max_accuracy_drop: float | None = None
    epochs: int | None = None
    task: str | None = None

    def __post_init__(self) -> None:
        if self.sparsity is not None and not 0 <= self.sparsity < 1:
            raise ConfigError(f"--sparsity {self.sparsity}: expected at least 0 and below 1")


def fine_tuning(samples: int, learning_rate: float | None, epochs: int | None) -> dict[str, Any]:
    """Returns the fine-tuning part of a section.

    Args:
        samples: of the training split, ≥ 1.
        learning_rate: that the model was trained with, where its file tells.
        epochs: as asked for, or None.
    """
    batch = BATCHES[samples >= BATCH_OF_SAMPLES]
    wanted = math.ceil(UPDATES * batch / samples)
    rate = DEFAULT_RATE if learning_rate is None else min(learning_rate, LARGEST_RATE)
    return {
        "epochs": min(max(wanted, EPOCHS[0]), EPOCHS[1]) if epochs is None else epochs,
        "batch_size": batch,
        "optimizer": {"name": "adam", "learning_rate": float(f"{rate:.3g}")},
        "schedule": {"kind": "cosine"},
    }


def make_recipe(
    data: dict[str, Any],
    model: dict[str, Any],
    wishes: Wishes,
    samples: int,
    learning_rate: float | None,
    prunes: bool,
) -> dict[str, Any]:
    """Returns the whole configuration as plain data.

    Args:
        data: the data section, its task included.
        model: the model section: path and what goes with it.
        wishes: what the user asked for.
        samples: of the training split.
        learning_rate: of the model's own training, if it is known.
        prunes: whether the model has kernels that can be pruned.
    """
    learns = data["task"] != "parity"
    sparsity = SPARSITY if wishes.sparsity is None else wishes.sparsity
    stages = list(LEARNED if learns and prunes and sparsity > 0 else CALIBRATED)
    quantize: dict[str, Any] = {"schemes": [wishes.scheme]}
    if wishes.scheme in INTEGERS:
        quantize["float_operators"] = "allow"  # what has no integer kernel is named, not refused
    recipe: dict[str, Any] = {"data": data, "model": model}
    tuned = fine_tuning(samples, learning_rate, wishes.epochs)
    if "prune" in stages:
        schedule = {"kind": "polynomial", "final_sparsity": sparsity, "end_step": "60%"}
        recipe["prune"] = {**tuned, "pruning_schedule": schedule}
    if wishes.max_accuracy_drop is not None:
        quantize["max_accuracy_drop"] = wishes.max_accuracy_drop
        if learns and wishes.scheme == "int8":
            # Without a promise there is nothing to climb for: int8 after training.
            quantize |= {"method": "auto", "qat": {**tuned, "distillation": {}}}
    return {**recipe, "quantize": quantize, "stages": stages}
