from __future__ import annotations

import time

import numpy as np

from pipeline.data.duplicates import count_duplicates, hash_rows


def test_counts_by_hand() -> None:
    rows = {"train": [b"a", b"a", b"b", b"c"], "validation": [b"a", b"d"], "test": [b"c", b"c"]}
    assert count_duplicates(rows) == {
        "train": 1,
        "validation": 0,
        "test": 1,
        "train/validation": 1,
        "train/test": 2,
        "validation/test": 0,
    }


def test_equal_values_hash_equally_whatever_their_type_and_sign_of_zero() -> None:
    a = np.array([[0, 1], [2, 3]], np.uint8)
    b = np.array([[-0.0, 1.0], [2.0, 3.5]], np.float64)
    dtype = np.result_type(a.dtype, b.dtype)
    first = hash_rows(a, np.arange(2), dtype)
    second = hash_rows(b, np.arange(2), dtype)
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_rows_are_hashed_in_the_order_of_the_indices() -> None:
    x = np.arange(10_000, dtype=np.uint16).reshape(5000, 2)
    whole = hash_rows(x, np.arange(5000), x.dtype)
    assert hash_rows(x, np.array([4999, 0]), x.dtype) == [whole[4999], whole[0]]
    assert len(set(whole)) == 5000


def test_agrees_with_a_sort_of_all_rows() -> None:
    x = np.random.default_rng(0).integers(0, 3, (300, 4, 1), dtype=np.uint8)
    digests = {"a": hash_rows(x, np.arange(200), x.dtype)}
    assert count_duplicates(digests)["a"] == 200 - len(np.unique(x[:200], axis=0))


def test_seventy_thousand_images_take_seconds_at_most() -> None:
    x = np.zeros((70_000, 784), np.uint8)
    started = time.perf_counter()
    hash_rows(x, np.arange(len(x)), x.dtype)
    assert time.perf_counter() - started < 10  # 0.2 s on an idle core
