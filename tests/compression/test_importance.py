"""Scores and orders, by hand."""

from __future__ import annotations

import numpy as np

from pipeline.compression.importance import (
    channel_norms,
    mean_over_layers,
    normalize_scores,
    removal_order,
    sum_by_unit,
)


def test_norms_of_filters_along_any_axis() -> None:
    kernel = np.array([[3.0, -1.0], [-4.0, 1.0]])
    assert channel_norms(kernel, 1, 1).tolist() == [7.0, 2.0]
    assert channel_norms(kernel, 1, 2).tolist() == [5.0, np.sqrt(2.0)]
    assert channel_norms(kernel, 0, 1).tolist() == [4.0, 5.0]


def test_normalized_scores_have_length_one() -> None:
    assert normalize_scores(np.array([3.0, 4.0])).tolist() == [0.6, 0.8]
    assert normalize_scores(np.zeros(2)).tolist() == [0.0, 0.0]


def test_a_unit_of_several_layers_scores_their_mean() -> None:
    scored = [
        (np.array([0, 1]), np.array([1.0, 2.0])),
        (np.array([1, 1, 2]), np.array([4.0, 6.0, 5.0])),
    ]
    found = mean_over_layers(scored, 4)
    assert found[:3].tolist() == [1.0, 4.0, 5.0]
    assert np.isnan(found[3])


def test_channels_of_one_unit_add_up_in_each_sample() -> None:
    values = np.array([[1.0, 2.0, 4.0], [10.0, 20.0, 40.0]])
    found = sum_by_unit(np.array([0, 2, 0]), values, 3)
    assert found.tolist() == [[5.0, 50.0], [0.0, 0.0], [2.0, 20.0]]


def test_the_least_important_go_first_and_equal_ones_in_their_order() -> None:
    scores = np.array([0.5, 0.1, 0.5, 0.3])
    assert removal_order(scores, np.ones((1, 4), int), 1).tolist() == [1, 3, 0]


def test_every_layer_keeps_enough() -> None:
    # Layer 0 makes units 0 and 1, layer 1 makes 2, 3 and 4, layer 2 all of them.
    channels = np.array([[1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    assert removal_order(scores, channels, 1).tolist() == [0, 2, 3]
    assert removal_order(scores, channels, 2).tolist() == [2]
    assert removal_order(scores, channels, 3).tolist() == []
