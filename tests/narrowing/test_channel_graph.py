"""Which channels stand or fall together."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.narrowing.channel_graph import find_channels
from tests.narrowing.models import make


def nothing(name: str) -> bool:
    return False


def test_branches_that_are_added_share_their_units() -> None:
    found = find_channels(make("residual"), nothing)
    made = {layer: units.tolist() for layer, units in found.producers.items()}
    assert made["stem"] == made["outer"] == list(found.scales["norm"])
    assert made["main"] == made["shortcut"]
    assert not set(made["stem"]) & set(made["inner"]) & set(made["main"])
    assert {layer: len(found.removable(layer)) for layer in made} == {
        "stem": 6, "inner": 5, "outer": 6, "shortcut": 8, "main": 8, "logits": 0,
    }  # fmt: skip
    assert found.reason("logits") == "is an output of the model"


def test_a_depthwise_layer_repeats_and_a_concatenation_strings_together() -> None:
    found = find_channels(make("depthwise"), nothing)
    assert found.scales["norm"].tolist() == sorted(2 * found.producers["stem"].tolist())
    found = find_channels(make("concatenation"), nothing)
    left, right = found.producers["left"].tolist(), found.producers["right"].tolist()
    assert found.producers["beside"].tolist() == left + right
    assert [len(reading.units) for reading in found.readings] == [2, 2, 9, 11]


def test_a_flattened_tensor_has_each_channel_at_every_place() -> None:
    found = find_channels(make("flattened"), nothing)
    (hidden,) = [reading for reading in found.readings if reading.call.name == "hidden"]
    assert hidden.units.tolist() == 9 * found.producers["c1"].tolist()


def test_a_shared_layer_ties_what_it_reads() -> None:
    found = find_channels(make("shared"), nothing)
    assert found.producers["left"].tolist() == found.producers["right"].tolist()
    assert found.readings[-1].units.tolist() == 2 * found.producers["both"].tolist()


def test_skipped_layers_keep_theirs_and_so_do_those_that_share_them() -> None:
    found = find_channels(make("residual"), lambda name: name == "outer")
    assert len(found.removable("stem")) == 0
    assert found.reason("stem") == "outer is skipped"
    assert len(found.removable("inner")) == 5


def test_a_model_without_a_graph_is_refused() -> None:
    import keras

    class Own(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    with pytest.raises(ConfigError, match="is subclassed and has no graph"):
        find_channels(Own(), nothing)
