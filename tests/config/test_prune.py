"""Pruning schedules and overrides."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import as_plain_data, validate
from pipeline.config.prune import LayerPruning, PolynomialPruning, PruneConfig
from pipeline.errors import ConfigError


def test_defaults_reach_the_final_sparsity_before_the_end() -> None:
    schedule = PruneConfig().pruning_schedule
    assert schedule.kind == "polynomial"
    assert schedule.end_step is not None
    assert schedule.end_step.steps(1000, 100) == 700


def test_sparsity_does_not_fall() -> None:
    with pytest.raises(ValueError, match=r"initial_sparsity 0\.9 is above final_sparsity 0\.5"):
        PolynomialPruning(initial_sparsity=0.9, final_sparsity=0.5)


def test_skip_leaves_nothing_to_set() -> None:
    with pytest.raises(ValueError, match="skip: true leaves no sparsity"):
        LayerPruning(skip=True, final_sparsity=0.5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, "lamp"),
        ({"layers": {"conv_1": {"skip": True}}}, "lamp"),
        ({"layers": {"logits": {"final_sparsity": 0.5}}}, "uniform"),
        ({"block_size": [4, 1]}, "uniform"),
        ({"sparsity_m_by_n": [2, 4]}, "uniform"),
        ({"layers": {"logits": {"final_sparsity": 0.5}}, "distribution": "lamp"}, "lamp"),
    ],
)
def test_where_zeros_go_is_lamps_choice_unless_something_else_says_it(
    values: dict[str, Any], expected: str
) -> None:
    assert validate({"prune": values}).prune.spread == expected


def test_two_of_four_comes_with_its_own_schedule_and_is_read_back() -> None:
    config = validate({"prune": {"sparsity_m_by_n": [2, 4]}})
    assert config.prune.pruning_schedule.kind == "once"
    assert validate(as_plain_data(config)) == config
    assert config.prune.has_pattern and not PruneConfig().has_pattern


CONSTANT = {"kind": "constant", "final_sparsity": 0.5}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"samples": 9}, "samples: distribution lamp looks at no samples"),
        ({"block_pooling_type": "MAX"}, "block_pooling_type belongs to block_size"),
        ({"block_size": [1, 1]}, r"block_size \[1, 1\] is single weights"),
        ({"block_size": [4, 0]}, r"block_size\.1: received 0, expected greater than or equal to 1"),
        ({"block_size": [4, 1], "distribution": "lamp"}, "lamp ranks single weights, no blocks"),
        ({"block_size": [4, 1], "sparsity_m_by_n": [2, 4]}, "block_size exclude each other"),
        ({"sparsity_m_by_n": [4, 4]}, r"expected \[m, n\] with m < n, received \[4, 4\]"),
        ({"sparsity_m_by_n": [2, 4], "distribution": "erk"}, "leave nothing to distribution erk"),
        (
            {"sparsity_m_by_n": [2, 4], "pruning_schedule": CONSTANT},
            "2/4 at once; expected pruning_schedule {kind: once}, .* received constant",
        ),
        (
            {"sparsity_m_by_n": [2, 4], "layers": {"a*": {"final_sparsity": 0.5}}},
            r"layers\.a\*: with sparsity_m_by_n every layer has 2/4",
        ),
        ({"pruning_schedule": {"kind": "once"}}, "kind once belongs to sparsity_m_by_n"),
        (
            {"distribution": "ERK"},
            "distribution: received 'ERK', expected 'uniform', .* or 'sensitivity'$",
        ),
    ],
)
def test_what_excludes_itself_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        validate({"prune": values})
