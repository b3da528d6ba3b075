"""What a quantized file is held to."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.config.quantize import QuantizeConfig
from pipeline.errors import PromiseError
from pipeline.quantization.quality import check_quality, quality_loss
from pipeline.tasks.task import Task, classification

REGRESSION = Task("regression", 1, ("y",), (1.0,), (0.0,))


def held(task: Task, figures: dict[str, float], reference: float, **quantize: Any) -> Any:
    lost = quality_loss(task, figures, reference)
    row = {"name": "float16", "validation": figures, **lost}
    check_quality(row, task, QuantizeConfig(**quantize))
    return lost


def test_a_drop_is_a_fraction_and_an_increase_is_relative() -> None:
    figures = {"loss": 0.1, "accuracy": 0.75}
    assert held(classification(("a", "b")), figures, 1.0) == {"accuracy_drop": 0.25}
    figures = {"loss": 0.1, "mae": 3.0}
    assert held(REGRESSION, figures, 2.0, max_error_increase=0.5) == {"error_increase": 0.5}
    with pytest.raises(PromiseError, match=r"raises the mae by 50\.0%.*max_error_increase is 0\.4"):
        held(REGRESSION, figures, 2.0, max_error_increase=0.4)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
@pytest.mark.parametrize("bound", [{}, {"max_error_increase": 0.4}])
def test_what_is_not_finite_keeps_no_promise(loss: float, bound: dict[str, float]) -> None:
    with pytest.raises(PromiseError, match="float16 gives NaN or infinity"):
        held(REGRESSION, {"loss": loss, "mae": loss}, 2.0, **bound)
