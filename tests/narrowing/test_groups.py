"""Groups of layers, and costs that agree with what is counted in the rebuilt model."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from pipeline.bridge.graph import walk
from pipeline.errors import ConfigError
from pipeline.narrowing.channel_graph import find_channels
from pipeline.narrowing.groups import count_macs, find_groups, macs_cost, parameter_cost
from pipeline.narrowing.rebuild import rebuild
from tests.narrowing.models import TOPOLOGIES, make


def test_layers_that_share_channels_are_one_group() -> None:
    channels = find_channels(make("concatenation"), lambda name: False)
    scores = np.arange(channels.count, dtype=float)
    (group,) = find_groups(channels, scores, 2)
    assert group.layers == ("left", "right", "beside") and group.name == "left, right, beside"
    # Three of the five of left and two of the four of right, the lowest scores first.
    left, right = channels.producers["left"], channels.producers["right"]
    assert group.order.tolist() == [*left[:3], *right[:2]]
    assert sorted(group.units) == sorted([*left, *right])


def test_units_without_a_score_stay() -> None:
    channels = find_channels(make("chain"), lambda name: False)
    scores = np.full(channels.count, np.nan)
    scores[channels.producers["c2"]] = 1.0
    assert [group.layers for group in find_groups(channels, scores, 4)] == [("c2",)]


def test_channels_that_stay_anyway_count_for_the_least_number() -> None:
    inputs = keras.Input((4,), name="features")
    x = keras.layers.Dense(3, name="narrow")(inputs)
    x = keras.layers.Concatenate(name="join")([x, inputs])
    x = keras.layers.Add(name="sum")([x, keras.layers.Dense(7, name="wide")(inputs)])
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(x))
    channels = find_channels(model, lambda name: False)
    (group,) = find_groups(channels, np.zeros(channels.count), 3)
    assert group.layers == ("narrow", "wide") and len(group.order) == 0
    (group,) = find_groups(channels, np.zeros(channels.count), 1)
    assert len(group.order) == 2


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_costs_are_what_the_smaller_model_has(name: str) -> None:
    model = make(name)
    channels = find_channels(model, lambda layer: False)
    everything, kept = np.ones((2, channels.count), bool)
    for group in find_groups(channels, np.zeros(channels.count), 2):
        kept[group.order[1:]] = False
    smaller = rebuild(model, channels, kept)
    for units, rebuilt in ((everything, model), (kept, smaller)):
        assert parameter_cost(model, channels).of(units) == rebuilt.count_params()
        macs = sum(count or 0 for count in count_macs(walk(rebuilt)).values())
        assert macs_cost(channels).of(units) == pytest.approx(macs)


def test_macs_that_are_not_known_are_refused() -> None:
    inputs = keras.Input((None, 3), name="steps")
    x = keras.layers.Conv1D(4, 3, padding="same", name="c1")(inputs)
    x = keras.layers.GlobalAveragePooling1D(name="pool")(x)
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(x))
    with pytest.raises(ConfigError, match=r"narrow\.target\.macs: .* of c1 are not known; give"):
        macs_cost(find_channels(model, lambda name: False))
