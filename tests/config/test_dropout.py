"""A factor on dropout rates, where there are none."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError

DROPS = {"architecture": "mlp", "units": [8], "dropout": 0.2}
PLAIN = {"architecture": "mlp", "units": [4]}
LESS = {"prune": {"dropout_factor": 0}}


@pytest.mark.parametrize(
    "values",
    [
        {"model": DROPS, **LESS, "stages": ["train", "prune"]},
        {"model": {"path": "mine.keras"}, **LESS, "stages": ["prune"]},
        {"model": PLAIN, **LESS, "stages": ["train"]},
        {"model": PLAIN, **LESS, "tune": {"search_space": {"model.dropout": {"float": [0, 0.5]}}},
         "stages": ["tune", "train", "prune"]},
        {"model": PLAIN, "distill": {"student": DROPS}, **LESS,
         "stages": ["train", "distill", "prune"]},
    ],
)  # fmt: skip
def test_a_factor_that_may_act_is_taken(values: dict[str, Any]) -> None:
    assert validate(values).prune.dropout_factor == 0


def test_the_student_is_what_is_pruned() -> None:
    values = {"model": DROPS, "distill": {"student": PLAIN}, **LESS}
    with pytest.raises(ConfigError, match=r"prune\.dropout_factor: received 0, but the model"):
        validate({**values, "stages": ["train", "distill", "prune"]})


def test_quantization_in_the_loop_is_a_fine_tuning() -> None:
    quantize = {"method": "qat", "qat": {"dropout_factor": 0.5}}
    with pytest.raises(ConfigError, match=r"quantize\.qat\.dropout_factor: received 0\.5"):
        validate({"model": PLAIN, "quantize": quantize, "stages": ["train", "quantize"]})
