from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.representative import choose_representative
from pipeline.errors import ConfigError


def test_classes_are_balanced_where_there_are_enough() -> None:
    y = np.repeat([0, 1, 2], [900, 90, 10])
    chosen = choose_representative(y, 30, seed=0)
    assert np.bincount(y[chosen]).tolist() == [10, 10, 10]


def test_small_class_leaves_its_share_to_the_others() -> None:
    y = np.repeat([0, 1, 2], [900, 90, 4])
    assert np.bincount(y[choose_representative(y, 30, seed=0)]).tolist() == [13, 13, 4]


def test_odd_rest_spreads_over_classes() -> None:
    y = np.arange(100) % 10
    counts = np.bincount(y[choose_representative(y, 25, seed=3)], minlength=10)
    assert counts.sum() == 25
    assert set(counts) == {2, 3}


def test_indices_are_sorted_unique_and_seeded() -> None:
    y = np.arange(100) % 10
    first, again, other = (choose_representative(y, 20, seed) for seed in (0, 0, 1))
    assert first.dtype == np.int64 and (np.diff(first) > 0).all()
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_more_than_there_are_is_all() -> None:
    assert choose_representative(np.arange(6) % 2, 99, 0).tolist() == [0, 1, 2, 3, 4, 5]


def test_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="representative_samples is 0; expected at least 1"):
        choose_representative(np.arange(3), 0, 0)
