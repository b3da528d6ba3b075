"""What several stages read: splits of the data, and the model before them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.config.schema import Config
from pipeline.stages.contract import Context, Role

if TYPE_CHECKING:
    import keras
    import numpy as np

    from pipeline.config.train import FineTuneConfig
    from pipeline.data.prepared import PreparedData
    from pipeline.data.samples import Samples
    from pipeline.tflite.verify_clusters import ClusteredKernel
    from pipeline.tflite.verify_patterns import PatternedKernel

MODEL_FILE = "model.keras"
REFERENCE_FILE = "reference.npz"


def load_splits(config: Config, context: Context, *splits: str) -> PreparedData:
    """Loads the named splits ("train", "validation", "test") as the model takes them."""
    from pipeline.data.load import load_for_model

    return load_for_model(config, context.input("data").path, splits)


def with_answers(
    data: PreparedData, split: str, predict: Callable[[Samples], np.ndarray]
) -> PreparedData:
    """Gives samples without answers, of the task parity, those of the float model.

    Args:
        data: returned as it is where the split has answers.
        split: name of the split.
        predict: the float model: x → (n, …).
    """
    found = data.splits[split]
    if found.y is not None:
        return data
    return replace(data, splits={**data.splits, split: replace(found, y=predict(found.x))})


def load_input_model(context: Context) -> keras.Model:
    """Loads the model that the last stage before this one made."""
    from pipeline.models.files import load_model

    return load_model(context.input("model").file(MODEL_FILE))


def teacher_role(config: FineTuneConfig) -> tuple[Role, ...]:
    """Returns the role "teacher" where a fine-tuning distills: only then is it part of the key."""
    return () if config.distillation is None else ("teacher",)


def load_teacher(context: Context) -> keras.Model | None:
    """Loads the last float model before this stage, where the stage asked for it."""
    from pipeline.models.files import load_model

    if "teacher" not in context.inputs:
        return None
    return load_model(context.input("teacher").file(MODEL_FILE))


def clustered_kernels(context: Context) -> list[ClusteredKernel]:
    """Returns what `cluster` promised of the model, which no stage after it may undo.

    Empty where the chain does not cluster.
    """
    from pipeline.tflite.verify_clusters import ClusteredKernel

    artifact = context.inputs["baselines"].get("clustered")
    return [
        ClusteredKernel(
            row["layer"], row["tensor"], tuple(row["shape"]), row["number_of_clusters"],
            row["normalized"],
        )
        for row in (artifact.metrics["layers"] if artifact is not None else [])
    ]  # fmt: skip


def patterned_kernels(context: Context) -> list[PatternedKernel]:
    """Returns what `prune` promised of the pattern of its zeros, which no stage after it may undo.

    Empty where the chain does not prune, or prunes single weights.
    """
    from pipeline.tflite.verify_patterns import PatternedKernel

    artifact = context.inputs["baselines"].get("pruned")
    if artifact is None:
        return []
    block_size, m_by_n = (artifact.metrics[key] for key in ("block_size", "sparsity_m_by_n"))
    if block_size is None and m_by_n is None:
        return []
    return [
        PatternedKernel(
            row["layer"], row["tensor"], tuple(row["shape"]),
            None if block_size is None else tuple(block_size),
            None if m_by_n is None else tuple(m_by_n),
            row["groups"] if block_size is None else row["zero_blocks"],
        )
        for row in artifact.metrics["layers"]
    ]  # fmt: skip
