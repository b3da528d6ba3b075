"""The table of tasks: what each one's answers are, and the figure by which they are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

TaskName = Literal[
    "classification", "binary", "multi_label", "regression", "reconstruction", "parity"
]


@dataclass(frozen=True)
class TaskKind:
    """A row of the table.

    Attributes:
        metric: name of the figure that judges a model, a mean over samples.
        higher_is_better: whether a larger metric is a better one.
        has_labels: each sample has one right answer among class_names.
        has_answers: the data bring what is to be answered; else samples are all they have.
    """

    metric: str
    higher_is_better: bool
    has_labels: bool
    has_answers: bool = True


TASKS: dict[str, TaskKind] = {
    "classification": TaskKind("accuracy", True, True),
    "binary": TaskKind("accuracy", True, True),
    "multi_label": TaskKind("accuracy", True, False),
    "regression": TaskKind("mae", False, False),
    "reconstruction": TaskKind("mse", False, False, has_answers=False),
    # No answers at all: files are judged by how far they are from the float model.
    "parity": TaskKind("difference", False, False, has_answers=False),
}


def metric_directions(task: str) -> dict[str, bool]:
    """Returns the figures on validation data that a task has → whether higher is better.

    Args:
        task: a key of TASKS.
    """
    kind = TASKS[task]
    return {"val_loss": False, f"val_{kind.metric}": kind.higher_is_better}


def higher_is_better(figure: str) -> bool:
    """Tells whether a larger value of "loss", a metric, or "val_" before either is better."""
    name = figure.removeprefix("val_")
    return any(kind.metric == name and kind.higher_is_better for kind in TASKS.values())


@dataclass(frozen=True)
class Task:
    """The task of one data set.

    Attributes:
        name: a key of TASKS.
        outputs: numbers that a model gives per sample: classes, 1 for binary, labels, targets; for
            reconstruction the values of a sample; 0 for parity, where the model alone tells.
        class_names: one per class (two for binary) or label; names of the targets of a
            regression; empty for reconstruction and parity.
        target_scale: of a regression, one per target: source value = y · scale + offset.
        target_offset: the same form.
        probabilities: the model ends in a softmax or sigmoid; else its outputs are logits. Of
            no meaning for regression and reconstruction.
    """

    name: str
    outputs: int
    class_names: tuple[str, ...] = ()
    target_scale: tuple[float, ...] = ()
    target_offset: tuple[float, ...] = ()
    probabilities: bool = False

    @property
    def kind(self) -> TaskKind:
        """The row of the table."""
        return TASKS[self.name]

    @property
    def metric(self) -> str:
        """Name of the figure that judges a model: accuracy, mae, mse or difference."""
        return self.kind.metric

    @property
    def higher_is_better(self) -> bool:
        """Whether a larger metric is a better one."""
        return self.kind.higher_is_better

    @property
    def has_labels(self) -> bool:
        """Whether each sample has one right answer among the class names."""
        return self.kind.has_labels

    def to_json(self) -> dict[str, Any]:
        """Returns the fields as JSON values."""
        return {
            "name": self.name,
            "outputs": self.outputs,
            "class_names": list(self.class_names),
            "target_scale": list(self.target_scale),
            "target_offset": list(self.target_offset),
            "probabilities": self.probabilities,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Task:
        """Returns the task that `to_json` described."""
        return cls(
            value["name"],
            value["outputs"],
            tuple(value["class_names"]),
            tuple(float(scale) for scale in value["target_scale"]),
            tuple(float(offset) for offset in value["target_offset"]),
            value["probabilities"],
        )


def classification(class_names: tuple[str, ...]) -> Task:
    """Returns the task of telling classes apart."""
    return Task("classification", len(class_names), class_names)
