"""Labels of shared values, and counts per channel, by hand."""

from __future__ import annotations

import numpy as np

from pipeline.compression.clusters import label_values, most_distinct_in_a_channel


def test_labels_follow_the_order_of_the_values() -> None:
    labels, groups = label_values(np.float32([[0.5, -1.0], [0.0, 0.5], [-0.0, 3.0]]))
    assert groups == 4
    assert labels.tolist() == [[2, 0], [1, 2], [1, 3]]
    assert labels.dtype == np.int32


def test_the_channel_with_the_most_values_counts() -> None:
    values = np.int8([[1, 1, 2], [3, 4, 5]])
    assert most_distinct_in_a_channel(values, 0) == 3
    assert most_distinct_in_a_channel(values, 1) == 2
    assert most_distinct_in_a_channel(np.zeros((0, 3)), 0) == 0
