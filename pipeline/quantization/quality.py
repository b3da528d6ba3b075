"""The bounds on what a quantized file may lose, on validation data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.errors import PromiseError

if TYPE_CHECKING:
    from pipeline.config.quantize import QuantizeConfig
    from pipeline.tasks.task import Task

# What a file may lose, by the name it has in its row: of accuracy, or relative of an error.
LOSSES = ("accuracy_drop", "error_increase")


def quality_loss(task: Task, validation: dict[str, float], reference: float) -> dict[str, float]:
    """Returns what a file loses against the float model: {"accuracy_drop"} or {"error_increase"}.

    Args:
        task: what is measured; the drop is reference − figure, the increase is relative.
        validation: loss and metric of the file.
        reference: metric of the float model.
    """
    figure = validation[task.metric]
    if task.higher_is_better:
        return {"accuracy_drop": reference - figure}
    # Relative, because an error has the unit of its data; a perfect model has none to add to.
    return {"error_increase": (figure - reference) / reference if reference > 0 else 0.0}


def check_quality(file: Mapping[str, Any], task: Task, settings: QuantizeConfig) -> None:
    """Holds a file to max_accuracy_drop or max_error_increase.

    Args:
        file: its row in the manifest; see `describe_file`.
        task: what is measured.
        settings: the bounds.

    Raises:
        PromiseError: it loses more than allowed, or gives NaN.
    """
    name = file["name"]
    # NaN is above no bound; it is what float16 makes of sums that overflow.
    if not math.isfinite(file["validation"]["loss"]):
        raise PromiseError(
            f"quantize: {name} gives NaN or infinity on validation data, promised finite numbers; "
            "leave it out of quantize.schemes"
        )
    if is_kept(file, settings):
        return
    key, loss = loss_of(file)
    trained = settings.method == "qat"
    advice = "prune less, or allow more" if trained else "try method: auto, or allow more"
    raise PromiseError(
        f"quantize: {name} {describe_loss(key, loss, task.metric)} on validation data, "
        f"max_{key} is {settings.allowed_loss}; {advice}"
    )


def is_kept(file: Mapping[str, Any], settings: QuantizeConfig) -> bool:
    """Tells whether a file is finite and within the bound, if there is one."""
    allowed = settings.allowed_loss
    if not math.isfinite(file["validation"]["loss"]):
        return False
    return allowed is None or loss_of(file)[1] <= allowed


def loss_of(file: Mapping[str, Any]) -> tuple[str, float]:
    """Returns the name and the figure of what a file loses, from its row in the manifest."""
    key = next(key for key in LOSSES if key in file)
    return key, file[key]


def describe_loss(key: str, loss: float, metric: str) -> str:
    """Says in words what a file loses."""
    if key == "accuracy_drop":
        return f"loses {loss:.4f} of accuracy"
    return f"raises the {metric} by {loss:.1%}"
