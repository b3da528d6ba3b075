"""Entropies, computed by hand."""

from __future__ import annotations

import gzip
import math

import numpy as np
import pytest

from pipeline.compression.entropy import entropy_bits, entropy_bytes
from pipeline.compression.sparsity import count_values


@pytest.mark.parametrize(
    ("counts", "bits"),
    [
        # 1/2, 1/4, 1/4: 0.5 · 1 + 2 · 0.25 · 2.
        ([2, 1, 1], 1.5),
        ([5, 5], 1.0),
        ([1] * 256, 8.0),
        # 0.9 · log2(10/9) + 0.1 · log2(10) = 0.9 · 0.1520 + 0.1 · 3.3219.
        ([9, 1], 0.4690),
        ([7], 0.0),
        ([], 0.0),
        ([4, 0, 4], 1.0),
    ],
)
def test_entropy_by_hand(counts: list[int], bits: float) -> None:
    assert entropy_bits(np.array(counts, int)) == pytest.approx(bits, abs=5e-5)


def test_bytes_are_all_values_at_their_entropy() -> None:
    # 16 values of 1.5 bits are 24 bits.
    assert entropy_bytes(np.array([8, 4, 4])) == pytest.approx(3.0)
    assert entropy_bytes(np.array([1000])) == 0.0
    assert entropy_bytes(np.zeros(0, int)) == 0.0


def test_the_order_of_values_does_not_matter_to_it_but_to_gzip() -> None:
    values = np.tile(np.arange(4, dtype=np.int8), 1000)
    mixed = np.random.default_rng(0).permutation(values)
    limit = entropy_bytes(count_values(values))
    assert limit == entropy_bytes(count_values(mixed)) == pytest.approx(1000.0)
    # Repeats are below the limit; where values stand in no order, no code is.
    assert len(gzip.compress(values.tobytes(), 9)) < limit < len(gzip.compress(mixed.tobytes(), 9))


def test_equal_shares_of_any_number_of_values() -> None:
    assert entropy_bits(np.full(10, 3)) == pytest.approx(math.log2(10))
