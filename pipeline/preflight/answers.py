"""What a model answers, as told by its loss and by how its graph ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.preflight.verdicts import Answers

if TYPE_CHECKING:
    import keras

    from pipeline.bridge.graph import Graph, Ref


class Compiled(Protocol):
    """What is read of a model's compile config."""

    loss: str | None
    from_logits: bool | None


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
PROBABILITIES = frozenset({"softmax", "sigmoid"})
# What may stand behind the last activation without changing values.
PASSING = frozenset({"Flatten", "Reshape", "Identity", "Dropout", "Squeeze", "Activation"})


def read_answers(model: keras.Model, graph: Graph | None, compiled: Compiled | None) -> Answers:
    """Tells task, loss and kind of output of a model.

    Args:
        model: built.
        graph: of it; None if it has none.
        compiled: of its file; None if it was not compiled.
    """
    loss = None if compiled is None else compiled.loss
    kind = None if loss is None else loss_kind(loss)
    task = None if kind is None else _task(kind, model)
    activation = None if graph is None else last_activation(graph)
    if activation in PROBABILITIES:
        return _answers(kind, task, loss, "probabilities", f"its last activation is {activation}")
    if kind is not None and kind.from_logits and compiled is not None and compiled.from_logits:
        return _answers(kind, task, loss, "logits", "its loss was compiled with from_logits=True")
    if activation is None:
        return _answers(kind, task, loss, "unknown", "its graph does not tell")
    output = "numbers" if kind is None or not kind.from_logits else "logits"
    return _answers(kind, task, loss, output, f"its last activation is {activation}")


def loss_kind(loss: str) -> LossKind | None:
    """Returns what a loss tells; its name may be a function's, a class's or Keras's short one."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", loss).lower()
    return LOSSES.get(SHORT.get(name, name))


def _answers(
    kind: LossKind | None, task: str | None, loss: str | None, output: str, source: str
) -> Answers:
    return Answers(task, loss, None if kind is None else kind.labels, output, source)


def _task(kind: LossKind, model: keras.Model) -> str | None:
    shapes = [tuple(tensor.shape) for tensor in getattr(model, "outputs", None) or ()]
    if len(shapes) != 1:
        return None
    if kind.task == "regression":
        same = shapes[0] == tuple(model.inputs[0].shape)
        return "reconstruction" if same else "regression"
    if kind.task is None:
        return "binary" if shapes[0][-1] == 1 else "multi_label"
    return kind.task


def last_activation(graph: Graph) -> str | None:
    """Returns the name of the activation that the first output ends with.

    Returns:
        "linear" for sums; None where an operation ends the graph that is no activation.
    """
    makers = {ref: call for call in graph.calls for ref in call.outputs}
    ref: Ref | None = graph.output_refs()[0]
    while ref is not None and ref in makers:
        call = makers[ref]
        name = _own_activation(call.layer)
        if name != "linear" or type(call.layer).__name__ not in PASSING:
            return name
        ref = call.inputs[0] if call.inputs else None
    return None


def _own_activation(layer: Any) -> str | None:
    class_name = type(layer).__name__
    if class_name in ("Softmax", "Sigmoid"):
        return class_name.lower()
    activation = getattr(layer, "activation", None)
    if activation is not None:
        return str(getattr(activation, "__name__", type(activation).__name__))
    return "linear" if class_name in PASSING else None
