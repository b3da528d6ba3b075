from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.data.arrays import CHUNK_ROWS, Part, SourceArrays
from pipeline.data.table import Table
from pipeline.data.validate import validate_source
from pipeline.errors import DataError
from tests.data.conftest import small_arrays


def source(names: tuple[str, ...] | None = None, **parts: Any) -> SourceArrays:
    return SourceArrays("data.npz", {k: Part(*v) for k, v in parts.items()}, names)


def refused(message: str, names: tuple[str, ...] | None = None, **parts: Any) -> None:
    with pytest.raises(DataError, match=message) as error:
        validate_source(source(names, **parts))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("data.npz: ")


def xy(**changes: Any) -> tuple[np.ndarray, np.ndarray]:
    arrays = {**small_arrays(), **changes}
    return arrays["x"], arrays["y"]


def test_sound_data_passes_with_default_names() -> None:
    checked = validate_source(source(all=xy()))
    assert checked.class_names == ("0", "1", "2")
    assert checked.parts["all"].y.dtype == np.int64


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_first_non_finite_value_is_named(value: float) -> None:
    x = small_arrays()["x"]
    x[7, 2] = x[9, 0] = value
    refused(rf"x\[7, 2\] is {value}; expected finite .*drop sample 7", all=xy(x=x))


def test_non_finite_value_beyond_the_first_chunk_is_found() -> None:
    x = np.zeros((CHUNK_ROWS + 5, 1), np.float32)
    x[CHUNK_ROWS + 3] = np.nan
    refused(rf"x\[{CHUNK_ROWS + 3}, 0\] is nan", all=(x, np.arange(len(x)) % 2))


def test_value_beyond_float32_is_named() -> None:
    x = small_arrays()["x"].astype(np.float64)
    x[3, 1] = 1e39
    refused(r"x\[3, 1\] is 1e\+39; expected finite values within float32's range", all=xy(x=x))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([["a"]] * 30), "x has dtype <U1; expected numbers"),
        (np.zeros((30, 2), complex), "x has dtype complex128; expected numbers"),
        (np.zeros(30), r"x has shape \(30,\); expected \(samples, features…\)"),
        (np.zeros((0, 4)), "x is empty"),
        (np.zeros((30, 0)), r"x has shape \(30, 0\); expected samples with at least one value"),
        (np.zeros((29, 4)), "x has 29 samples, y has 30; expected one label per sample"),
    ],
)
def test_samples_that_are_refused(x: np.ndarray, message: str) -> None:
    refused(message, all=xy(x=x))


def test_shapes_must_agree_between_splits() -> None:
    x, y = xy()
    refused(
        r"samples of x_val have shape \(3,\), those of x_train \(4,\)",
        train=(x, y),
        validation=(x[:, :3], y),
    )


def test_empty_split_is_refused() -> None:
    x, y = xy()
    refused("x_test is empty", train=(x, y), test=(x[:0], y[:0]))


def test_columns_must_agree_between_splits() -> None:
    tables = [Table({name: np.array(["1", "2"], object)}) for name in ("age", "height")]
    y = np.arange(2)
    parts = {"train": Part(tables[0], y), "test": Part(tables[1], y)}
    with pytest.raises(
        DataError, match="x_test have the columns height, those of x_train the colu"
    ):
        validate_source(SourceArrays("data.csv", parts, None, "table"))


def test_tokens_are_whole_numbers_from_zero() -> None:
    x = np.arange(8).reshape(4, 2)
    y = np.arange(4) % 2
    good = SourceArrays("data.npz", {"all": Part(x, y)}, None, "tokens")
    assert validate_source(good).kind == "tokens"
    for value in (-1, 0.5, np.nan, 2.0**31):
        bad = x.astype(np.float64)
        bad[2, 1] = value
        with pytest.raises(DataError, match=r"x\[2, 1\] is .*expected token ids: whole numbers"):
            validate_source(SourceArrays("data.npz", {"all": Part(bad, y)}, None, "tokens"))


def test_reconstruction_needs_no_labels_and_ignores_them() -> None:
    x = small_arrays()["x"]
    for y in (None, np.arange(7)):
        checked = validate_source(SourceArrays("a", {"all": Part(x, y)}, None), "reconstruction")
        assert checked.parts["all"].y is None and checked.class_names == ()
