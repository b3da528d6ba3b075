"""Scores as configured, and counts that meet the target."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from pipeline.artifacts.measurements import Measurements
from pipeline.config.narrow import NarrowConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.errors import PromiseError
from pipeline.narrowing.channel_graph import find_channels
from pipeline.narrowing.groups import find_groups, macs_cost
from pipeline.narrowing.scores import score_by_norm, score_by_scale, score_by_taylor
from pipeline.narrowing.selection import Selection, choose_removed, keep_others, score_units
from pipeline.progress import SilentProgress
from tests.narrowing.models import make, samples_for


@pytest.fixture(scope="module")
def found(tiny_data: PreparedData) -> tuple[Any, Any, PreparedData]:
    model = make("chain")
    split = Split(samples_for(model, 9), np.arange(9) % 3)
    data = dataclasses.replace(tiny_data, splits={"train": split, "validation": split})
    return model, find_channels(model, lambda name: False), data


def test_each_importance_is_its_score(found: tuple[Any, Any, PreparedData]) -> None:
    _, channels, data = found
    expected = {
        "l1": score_by_norm(channels, 1),
        "l2": score_by_norm(channels, 2),
        "batch_norm": score_by_scale(channels),
        "taylor": score_by_taylor(channels, data.train, data.task),
    }
    for importance, scores in expected.items():
        config = NarrowConfig.model_validate({"importance": importance})
        np.testing.assert_array_equal(score_units(channels, data, config, 0), scores)


@pytest.mark.parametrize("distribution", ["uniform", "sensitivity"])
def test_the_budget_is_met_and_nearly_spent(
    found: tuple[Any, Any, PreparedData], known: Measurements, distribution: str
) -> None:
    model, channels, data = found
    config = NarrowConfig.model_validate(
        {"importance": "l1", "distribution": distribution, "target": {"macs": 0.6}}
    )
    groups = find_groups(channels, score_by_norm(channels, 1), 1)
    selection = Selection(model, channels, groups, data, config, 0, known, SilentProgress())
    removed = choose_removed(selection, config)
    cost = macs_cost(channels)
    whole = cost.of(np.ones(channels.count, bool))
    assert cost.of(keep_others(channels, groups, removed)) <= 0.6 * whole
    fewer = np.maximum(removed - 1, 0)
    assert cost.of(keep_others(channels, groups, fewer)) > 0.6 * whole
    assert [len(curve) > 0 for curve in selection.curves] == [distribution == "sensitivity"] * 2


def test_too_low_a_target_is_told_with_what_remains(
    found: tuple[Any, Any, PreparedData], known: Measurements
) -> None:
    model, channels, data = found
    config = NarrowConfig.model_validate({"target": {"parameters": 0.05}})
    groups = find_groups(channels, score_by_norm(channels, 1), 4)
    words = (
        r"target\.parameters 0\.05 cannot be met: 0\.\d+ remain with min_channels 4 .*\(c1; c2\)"
    )
    selection = Selection(model, channels, groups, data, config, 0, known, SilentProgress())
    with pytest.raises(PromiseError, match=words):
        choose_removed(selection, config)
