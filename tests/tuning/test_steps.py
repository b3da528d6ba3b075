"""Which steps of the chain a trial does, and which sections it therefore depends on."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.tuning.steps import Steps, sections_read, steps_of

RATE = {"float": [0.001, 0.1]}
SPARSITY = {"prune.pruning_schedule.final_sparsity": {"float": [0.5, 0.9]}}
QAT = {"quantize.qat.optimizer.learning_rate": RATE}


@pytest.mark.parametrize(
    ("tune", "rest", "steps", "sections"),
    [
        ({}, {}, Steps(True, False, False, None), ()),
        ({"search_space": SPARSITY}, {}, Steps(False, True, False, None), ("prune",)),
        (
            {"search_space": {**SPARSITY, "model.dropout": {"float": [0, 0.5]}}},
            {},
            Steps(True, True, False, None),
            ("prune",),
        ),
        (
            {"search_space": QAT},
            {"quantize": {"method": "qat"}},
            Steps(False, True, True, None),
            ("prune", "quantize"),
        ),
        (
            {"search_space": QAT},
            {"quantize": {"method": "qat"}, "stages": ["train", "tune", "quantize"]},
            Steps(False, False, True, None),
            ("quantize",),
        ),
        (
            {"search_space": SPARSITY, "constraints": {"max_gzip_bytes": 9000}},
            {},
            Steps(False, True, False, "int8"),
            ("prune", "quantize", "export.batch_size"),
        ),
        (
            {"constraints": {"max_size_bytes": 9000}},
            {"stages": ["train", "tune", "export"]},
            Steps(True, False, False, "float32"),
            ("export.batch_size",),
        ),
        ({}, {"stages": ["train"]}, None, ()),
    ],
)
def test_the_steps_of_a_trial(
    tune: dict[str, Any], rest: dict[str, Any], steps: Steps | None, sections: tuple[str, ...]
) -> None:
    config = validate({"tune": tune, **rest})
    if steps is not None:
        assert steps_of(config) == steps
        assert Steps(**steps.to_json()) == steps  # type: ignore[arg-type]
    assert sections_read(config) == sections
