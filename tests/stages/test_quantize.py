"""The stage quantize: what a file is held to."""

from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError, PromiseError
from pipeline.stages.quantize import _check_loss_of_quality, _notes, check
from pipeline.tasks.task import Task, classification

REGRESSION = Task("regression", 1, ("y",), (1.0,), (0.0,))


def held(task: Task, figures: dict[str, float], reference: float, **quantize: Any) -> Any:
    data = {"source": "npz", "path": "x.npz", "task": task.name}
    config = validate({"data": data, "quantize": quantize, "stages": ["train"]})
    return _check_loss_of_quality("float16", task, figures, reference, config)


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


def test_what_stays_in_float_is_told() -> None:
    rows = [{"operator": "ELU", "count": 2, "tensors": []}]
    files = [
        {"name": "int8", "float_operators": rows, "wider_weights": None},
        {"name": "int4", "float_operators": [], "wider_weights": "1 of 3 kernels in int8"},
    ]
    assert _notes(files) == [
        "int4: 1 of 3 kernels in int8",
        "int8: ELU × 2 in float32, which has no integer kernel",
    ]


def test_blocks_would_split_clusters() -> None:
    values = {"quantize": {"schemes": ["int4"], "block_size": 32}}
    check(validate({**values, "stages": ["train", "quantize"]}))
    with pytest.raises(ConfigError, match=r"quantize.block_size: one value of a clustered kernel"):
        check(validate({**values, "stages": ["train", "cluster", "quantize"]}))
