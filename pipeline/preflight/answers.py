"""What a model answers, as told by its loss and by how its graph ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models.fit_to_data import PROBABILITIES, last_activation
from pipeline.models.told_task import TASK_OF_LOSS, infer_task
from pipeline.preflight.verdicts import Answers
from pipeline.tasks.task import TASKS

if TYPE_CHECKING:
    import keras

    from pipeline.foreign.compile_facts import CompileFacts


# Loss → the form of the labels that it takes.
LABELS = {
    "sparse_categorical_crossentropy": "sparse",
    "categorical_crossentropy": "one_hot",
    "categorical_focal_crossentropy": "one_hot",
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
    outputs = getattr(model, "outputs", None) or ()
    source = "data.task tells"
    if task is None:
        task = _task(loss, model) if loss in TASK_OF_LOSS and len(outputs) == 1 else None
        source = "it was not compiled" if loss is None else f"its loss is {loss}"
    labels = None if loss is None else LABELS.get(loss)
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


def _task(loss: str, model: keras.Model) -> str:
    given, made = tuple(model.inputs[0].shape[1:]), tuple(model.outputs[0].shape[1:])
    return infer_task(loss, None, given, made)[0]
