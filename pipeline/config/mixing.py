"""What changes a training's answers and their weights, and which tasks have such answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

if TYPE_CHECKING:
    from pipeline.config.sources import SampleKind
    from pipeline.config.train import FineTuneConfig


def _check_weights(value: Any) -> Any:
    if value == "balanced":
        return value
    numbers = value.values() if isinstance(value, dict) else [None]
    if all(isinstance(n, int | float) and not isinstance(n, bool) and n > 0 for n in numbers):
        return value
    raise ValueError(
        f"received {value!r}, expected balanced, or class names with numbers above 0: {{yes: 2.5}}"
    )


Weight = Annotated[float, Field(gt=0, le=1e6)]
ClassWeights = Annotated[
    Literal["balanced"] | dict[str, Weight],
    # Before the union has its say: pydantic would list the faults of each of its members.
    BeforeValidator(_check_weights),
]

WITH_CLASSES = ("classification", "binary")
WITH_LABELS = (*WITH_CLASSES, "multi_label")


def check_fine_tuning(config: FineTuneConfig, section: str, task: str, samples: SampleKind) -> None:
    """Refuses, when planned, what this task or these samples have no use for.

    Args:
        config: the section of a training stage.
        section: its path, e.g. "train" or "quantize.qat".
        task: data.task.
        samples: what the samples of data.source are.

    Raises:
        ValueError: naming the key, and what to do.
    """
    wanted = (
        ("label_smoothing", config.label_smoothing > 0, WITH_LABELS),
        ("mixup", config.mixup > 0, WITH_LABELS),
        ("class_weights", config.class_weights is not None, WITH_CLASSES),
    )
    for key, used, tasks in wanted:
        if used and task not in tasks:
            raise ValueError(
                f"{section}.{key} is for data.task {', '.join(tasks)}; {task} has no classes "
                f"that it could act on: leave it out"
            )
    changed = {"augmentation": config.augmentation is not None, "mixup": config.mixup > 0}
    if samples in ("text", "tokens") and any(changed.values()):
        key = next(key for key, used in changed.items() if used)
        raise ValueError(f"{section}.{key} changes numbers, and texts are token ids: leave it out")
    if samples == "table" and config.augmentation is not None and config.augmentation.needs_images:
        raise ValueError(
            f"{section}.augmentation: the samples are rows of a table, which only noise fits; the "
            f"others need images"
        )
