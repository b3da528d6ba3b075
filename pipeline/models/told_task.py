"""What a model was made for: from the loss it was compiled with, its last layer, its outputs."""

from __future__ import annotations

from typing import Literal

# Keras's name of a loss → task; "binary" stands for one output, more of them are labels.
TASK_OF_LOSS = {
    "sparse_categorical_crossentropy": "classification",
    "categorical_crossentropy": "classification",
    "categorical_focal_crossentropy": "classification",
    "categorical_hinge": "classification",
    "binary_crossentropy": "binary",
    "binary_focal_crossentropy": "binary",
    "hinge": "binary",
    "squared_hinge": "binary",
    "mean_squared_error": "regression",
    "mean_absolute_error": "regression",
    "mean_absolute_percentage_error": "regression",
    "mean_squared_logarithmic_error": "regression",
    "huber": "regression",
    "log_cosh": "regression",
    "poisson": "regression",
}
# What the labels of the data are, as far as can be told before they are read.
Answers = Literal["classes", "numbers", "unknown"]


def infer_task(
    loss: str | None,
    last_activation: str | None,
    input_shape: tuple[int | None, ...],
    output_shape: tuple[int | None, ...],
    answers: Answers = "unknown",
) -> tuple[str, str]:
    """Tells the task of a model.

    Args:
        loss: from its compile config, in Keras's snake case; None where it tells none.
        last_activation: name of the function that it ends in; None where it is not known.
        input_shape, output_shape: of one sample, without the batch axis.
        answers: what the labels are: classes (whole numbers or names) or numbers.

    Returns:
        A name of tasks/task.py, and how it is known.
    """
    found = TASK_OF_LOSS.get(loss or "")
    reason = f"its loss is {loss}"
    if found is None:
        found, reason = _by_outputs(last_activation, output_shape, answers)
    if found == "regression" and output_shape == input_shape:
        return "reconstruction", f"{reason}, and its output has the shape of its input"
    if found == "binary" and output_shape[-1:] != (1,):
        several = f"{reason}, and it has {output_shape[-1]} outputs"
        return ("classification" if answers == "classes" else "multi_label"), several
    return found, reason


def _by_outputs(
    last_activation: str | None, output_shape: tuple[int | None, ...], answers: Answers
) -> tuple[str, str]:
    one = output_shape == (1,)
    if last_activation == "softmax":
        return "classification", "it ends in softmax"
    if last_activation == "sigmoid":
        return "binary", "it ends in sigmoid"
    if answers == "classes":
        words = "its labels are classes"
        return ("binary" if one else "classification"), words
    if answers == "numbers" or one or len(output_shape) != 1:
        return "regression", "its last layer has no activation"
    return "classification", f"it has {output_shape[0]} outputs, and nothing else tells"
