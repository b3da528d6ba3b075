"""Curves: what the loss does when one group loses units."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.artifacts.measurements import Measurements
from pipeline.data.prepared import Split
from pipeline.narrowing.channel_graph import find_channels
from pipeline.narrowing.groups import find_groups
from pipeline.narrowing.rebuild import rebuild
from pipeline.narrowing.sensitivity import measure_sensitivity
from pipeline.progress import SilentProgress
from pipeline.tasks.task import classification
from pipeline.training.evaluate import evaluate_model
from tests.narrowing.models import make, samples_for

TASK = classification(("a", "b", "c"))


def test_points_of_a_curve_are_losses_of_smaller_models(known: Measurements) -> None:
    model = make("chain")
    channels = find_channels(model, lambda name: False)
    groups = find_groups(channels, np.arange(channels.count, dtype=float), 2)
    split = Split(samples_for(model), np.arange(16) % 3)
    before = [weight.numpy() for weight in model.weights]
    curves = measure_sensitivity(model, channels, groups, split, TASK, known, SilentProgress())
    assert [list(curve) for curve in curves] == [[1, 2, 3, 4], [2, 3, 4, 6]]
    whole = evaluate_model(model, split, TASK)["loss"]
    kept = np.ones(channels.count, bool)
    kept[groups[1].order[:3]] = False
    smaller = evaluate_model(rebuild(model, channels, kept), split, TASK)["loss"]
    assert curves[1][3] == pytest.approx(smaller - whole, abs=1e-6)
    assert abs(curves[1][3]) > 1e-4
    for weight, values in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), values)
