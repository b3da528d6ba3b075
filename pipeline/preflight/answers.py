"""What a model answers, as told by its loss and by how its graph ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pipeline.models.fit_to_data import PROBABILITIES, last_activation
from pipeline.preflight.verdicts import Answers

if TYPE_CHECKING:
    import keras


class Compiled(Protocol):
    """What is read of a model's compile config."""

    @property
    def loss(self) -> str | None:
        """Keras's name of it."""

    @property
    def from_logits(self) -> bool | None:
        """As the loss was told."""


@dataclass(frozen=True)
class LossKind:
    """What a loss tells of the task.

    Attributes:
        task: with one output; None where it depends on the model's outputs.
        labels: "sparse", "one_hot", or None.
        from_logits: the loss takes logits or probabilities (it has the argument).
    """

    task: str | None
    labels: str | None = None
    from_logits: bool = False


# Loss, as Keras spells its function → what it tells.
LOSSES: dict[str, LossKind] = {
    "sparse_categorical_crossentropy": LossKind("classification", "sparse", True),
    "categorical_crossentropy": LossKind("classification", "one_hot", True),
    "categorical_focal_crossentropy": LossKind("classification", "one_hot", True),
    "binary_crossentropy": LossKind(None, None, True),
    "binary_focal_crossentropy": LossKind(None, None, True),
    "mean_squared_error": LossKind("regression"),
    "mean_absolute_error": LossKind("regression"),
    "mean_absolute_percentage_error": LossKind("regression"),
    "mean_squared_logarithmic_error": LossKind("regression"),
    "huber": LossKind("regression"),
    "log_cosh": LossKind("regression"),
    "poisson": LossKind("regression"),
}
SHORT = {"mse": "mean_squared_error", "mae": "mean_absolute_error"}


def read_answers(model: keras.Model, compiled: Compiled | None) -> Answers:
    """Tells task, loss and kind of output of a model.

    Args:
        model: built.
        compiled: of its file; None if it was not compiled.
    """
    loss = None if compiled is None else compiled.loss
    kind = None if loss is None else loss_kind(loss)
    outputs = getattr(model, "outputs", None)
    output, source = _output(last_activation(model) if outputs else None, kind, compiled)
    task = None if kind is None or not outputs or len(outputs) != 1 else _task(kind, model)
    return Answers(task, loss, None if kind is None else kind.labels, output, source)


def _output(
    activation: str | None, kind: LossKind | None, compiled: Compiled | None
) -> tuple[str, str]:
    if activation in PROBABILITIES:
        return "probabilities", f"it ends in {activation}"
    if kind is not None and kind.from_logits and compiled is not None and compiled.from_logits:
        return "logits", "its loss was compiled with from_logits=True"
    if activation is None:
        return "unknown", "the graph does not tell how it ends"
    ends = f"it ends in {'no activation' if activation == 'linear' else activation}"
    return "numbers" if kind is None or not kind.from_logits else "logits", ends


def loss_kind(loss: str) -> LossKind | None:
    """Returns what a loss tells; its name may be a function's, a class's or Keras's short one."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", loss).lower()
    return LOSSES.get(SHORT.get(name, name))


def _task(kind: LossKind, model: keras.Model) -> str | None:
    shape = tuple(model.outputs[0].shape)
    if kind.task == "regression":
        return "reconstruction" if shape == tuple(model.inputs[0].shape) else "regression"
    if kind.task is None:
        return "binary" if shape[-1] == 1 else "multi_label"
    return kind.task
