"""The bounds on what a quantized file may lose, on validation data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.errors import PromiseError

if TYPE_CHECKING:
    from pipeline.config.quantize import QuantizeConfig
    from pipeline.tasks.task import Task


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


def check_quality(
    name: str,
    task: Task,
    validation: dict[str, float],
    reference: float,
    settings: QuantizeConfig,
) -> dict[str, float]:
    """Holds a file to max_accuracy_drop or max_error_increase.

    Returns:
        What it loses; see `quality_loss`.

    Raises:
        PromiseError: it loses more than allowed, or gives NaN.
    """
    # NaN is above no bound; it is what float16 makes of sums that overflow.
    if not math.isfinite(validation["loss"]):
        raise PromiseError(
            f"quantize: {name} gives NaN or infinity on validation data, promised finite numbers; "
            "leave it out of quantize.schemes"
        )
    lost = quality_loss(task, validation, reference)
    (key, loss), allowed = next(iter(lost.items())), settings.allowed_loss
    words = (
        f"loses {loss:.4f} of accuracy"
        if task.higher_is_better
        else f"raises the {task.metric} by {loss:.1%}"
    )
    trained = settings.method == "qat"
    advice = "prune less, or allow more" if trained else "try method: qat, or allow more"
    if allowed is not None and loss > allowed:
        raise PromiseError(
            f"quantize: {name} {words} on validation data, max_{key} is {allowed}; {advice}"
        )
    return lost
