from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.keras_texts import encode_sequences
from pipeline.errors import DataError


def objects(*rows: object) -> np.ndarray:
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        ("before", [[0, 0, 1, 4, 8], [1, 6, 7, 8, 2], [0, 0, 0, 0, 1]]),
        ("after", [[1, 4, 8, 0, 0], [1, 6, 7, 8, 2], [1, 0, 0, 0, 0]]),
    ],
)
def test_by_hand(padding: str, expected: list[list[int]]) -> None:
    # rank + 3; 6 + 3 is beyond the 9 token ids, the fifth word beyond the length
    rows = objects([1, 5], [3, 4, 5, 6, 7], [])
    encoded = encode_sequences(rows, 9, 5, padding, "imdb.npz")
    assert encoded.dtype == np.int32
    assert encoded.tolist() == expected


def test_agrees_with_keras() -> None:
    from pipeline.runtime import import_tensorflow

    import_tensorflow()
    import keras

    rng = np.random.default_rng(0)
    rows = objects(*(rng.integers(1, 60, rng.integers(1, 30)).tolist() for _ in range(20)))
    tokens = [[1] + [r + 3 if r + 3 < 40 else 2 for r in row] for row in rows]
    for ours, theirs in (("before", "pre"), ("after", "post")):
        expected = keras.utils.pad_sequences(tokens, 12, padding=theirs, truncating="post")
        np.testing.assert_array_equal(encode_sequences(rows, 40, 12, ours, "x"), expected)


@pytest.mark.parametrize("row", ["text", [0.5], [[1], [2]]])
def test_what_is_no_list_of_ranks_is_named(row: object) -> None:
    with pytest.raises(DataError, match=r"imdb\.npz: x\[1\] is no list of word ranks"):
        encode_sequences(objects([1], row), 9, 5, "after", "imdb.npz")
