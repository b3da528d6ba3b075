"""What a model answers, as told by its loss and by how its graph ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.models.fit_to_data import PROBABILITIES, last_activation
from pipeline.preflight.verdicts import Answers
from pipeline.tasks.task import TASKS

if TYPE_CHECKING:
    import keras

    from pipeline.foreign.compile_facts import CompileFacts


@dataclass(frozen=True)
class LossKind:
    """What a loss tells of the task.

    Attributes:
        task: with one output; None where it depends on the model's outputs.
        labels: "sparse", "one_hot", or None.
    """

    task: str | None
    labels: str | None = None


# Loss, as Keras spells its function → what it tells.
LOSSES: dict[str, LossKind] = {
    "sparse_categorical_crossentropy": LossKind("classification", "sparse"),
    "categorical_crossentropy": LossKind("classification", "one_hot"),
    "categorical_focal_crossentropy": LossKind("classification", "one_hot"),
    "binary_crossentropy": LossKind(None),
    "binary_focal_crossentropy": LossKind(None),
    "mean_squared_error": LossKind("regression"),
    "mean_absolute_error": LossKind("regression"),
    "mean_absolute_percentage_error": LossKind("regression"),
    "mean_squared_logarithmic_error": LossKind("regression"),
    "huber": LossKind("regression"),
    "log_cosh": LossKind("regression"),
    "poisson": LossKind("regression"),
}


def read_answers(
    model: keras.Model, compiled: CompileFacts | None, task: str | None = None
) -> Answers:
    """Tells task, loss and kind of output of a model.

    Args:
        model: built.
        compiled: of its file; None if it was not compiled.
        task: what the data ask for, a key of TASKS; it goes before what the loss tells.
    """
    loss = None if compiled is None else compiled.loss
    kind = None if loss is None else LOSSES.get(loss)
    outputs = getattr(model, "outputs", None) or ()
    source = "data.task tells"
    if task is None:
        task = _task(kind, model) if kind is not None and len(outputs) == 1 else None
        source = "it was not compiled" if loss is None else f"its loss is {loss}"
    labels = None if kind is None else kind.labels
    output = _output(last_activation(model) if outputs else None, task, compiled)
    return Answers(task, source, loss, labels, *output)


def _output(
    activation: str | None, task: str | None, compiled: CompileFacts | None
) -> tuple[str, str]:
    if activation in PROBABILITIES:
        return "probabilities", f"it ends in {activation}"
    if compiled is not None and compiled.from_logits:
        return "logits", "its loss was compiled with from_logits=True"
    if activation is None:
        return "unknown", "the graph does not tell how it ends"
    ends = f"it ends in {'no activation' if activation == 'linear' else activation}"
    return "logits" if task in TASKS and TASKS[task].metric == "accuracy" else "numbers", ends


def _task(kind: LossKind, model: keras.Model) -> str | None:
    shape = tuple(model.outputs[0].shape)
    if kind.task == "regression":
        return "reconstruction" if shape == tuple(model.inputs[0].shape) else "regression"
    if kind.task is None:
        return "binary" if shape[-1] == 1 else "multi_label"
    return kind.task
