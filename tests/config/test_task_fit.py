from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError

REGRESSION = {"data": {"source": "npz", "path": "x.npz", "task": "regression"}}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {**REGRESSION, "train": {"early_stopping": {"monitor": "val_accuracy"}}},
            "train.early_stopping.monitor: received val_accuracy, expected val_loss or val_mae "
            "for data.task regression",
        ),
        (
            {**REGRESSION, "narrow": {"early_stopping": {"monitor": "val_accuracy"}}},
            "narrow.early_stopping.monitor: received val_accuracy, expected val_loss or val_mae",
        ),
        (
            {**REGRESSION, "tune": {"objective": "val_mse"}},
            "tune.objective: received val_mse, expected val_loss or val_mae",
        ),
        (
            {"train": {"schedule": {"kind": "reduce_on_plateau", "monitor": "val_mae"}}},
            "train.schedule.monitor: received val_mae, expected val_loss or val_accuracy",
        ),
        (
            {**REGRESSION, "quantize": {"max_accuracy_drop": 0.01}},
            "quantize.max_accuracy_drop: data.task regression has no accuracy; "
            "set quantize.max_error_increase",
        ),
        (
            {"quantize": {"max_error_increase": 0.01}},
            "quantize.max_error_increase: data.task classification is judged by its accuracy; "
            "set quantize.max_accuracy_drop",
        ),
        (
            {"prune": {"dropout_factor": 0.5}, "stages": ["train", "prune"]},
            "prune.dropout_factor: received 0.5, but the model (mlp) drops nothing; "
            "set model.dropout, or leave the factor out",
        ),
        (
            {**REGRESSION, "train": {"label_smoothing": 0.1}},
            "train.label_smoothing is for data.task",
        ),
        (
            {"data": {"task": "reconstruction"}},
            "data.task reconstruction gives back the input, which model.architecture mlp does not",
        ),
    ],
)
def test_what_does_not_fit_the_task_is_refused_with_its_field(
    values: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        validate(values)
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)


def test_what_fits_is_taken() -> None:
    config = validate(
        {
            **REGRESSION,
            "train": {"early_stopping": {"monitor": "val_mae"}},
            "tune": {"objective": "val_mae"},
            "quantize": {"max_error_increase": 0.05},
        }
    )
    assert config.quantize.max_error_increase == 0.05


def test_an_objective_is_not_looked_at_where_nothing_is_tuned() -> None:
    validate({**REGRESSION, "tune": {"objective": "val_accuracy"}, "stages": ["train", "export"]})
