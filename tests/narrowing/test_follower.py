"""Labels of tensors and weights."""

from __future__ import annotations

import keras
import numpy as np

from pipeline.bridge.graph import walk
from pipeline.compression.channels import Ties
from pipeline.narrowing.follower import Follower


def test_sizes_that_are_not_known_have_no_labels() -> None:
    follower = Follower(Ties(), {})
    assert len(follower.fixed((None, 4, 3), "why")) == 3
    assert len(follower.fixed((None, None), "why")) == 0
    assert len(follower.fixed((None,), "why")) == 0
    assert [reason for _, reason in follower.frozen] == ["why"]


def test_a_weight_that_is_met_again_ties_its_axes() -> None:
    inputs = keras.Input((2,), name="features")
    dense = keras.layers.Dense(2, use_bias=False, name="dense")
    graph = walk(keras.Model(inputs, dense(dense(inputs))))
    follower = Follower(Ties(), graph.shapes)
    first, second = follower.ties.new(2), follower.ties.new(2)
    for labels, call in zip((first, second), graph.calls, strict=True):
        follower.slice(call, "kernel", {-2: labels}, reads=-2)
        follower.slice(call, "bias", {-1: labels})
    assert list(follower.weights) == [("dense", "kernel")]
    weight = follower.weights["dense", "kernel"]
    assert (weight.shape, weight.reads, weight.makes) == ((2, 2), 0, None)
    assert follower.ties.roots(second).tolist() == first.tolist()
    assert follower.make(graph.calls[0], "units", 2) is follower.make(graph.calls[1], "units", 2)
    assert np.array_equal(follower.counts["dense"][1], follower.producers["dense"])
