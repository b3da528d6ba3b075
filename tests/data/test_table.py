"""Columns as features, computed by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from pipeline.config.csv import CsvConfig
from pipeline.data.raw_input import encode
from pipeline.data.table import Table, TableEncoding
from pipeline.errors import DataError

TRAIN = np.arange(4)


def table(**columns: list[Any]) -> Table:
    return Table({name: np.array(values, dtype=object) for name, values in columns.items()})


def fit(rows: Table, train: np.ndarray = TRAIN, **values: Any) -> TableEncoding:
    return TableEncoding.fit(rows, train, CsvConfig(**{"min_category_count": 1, **values}))


def test_numbers_have_zero_mean_and_unit_variance_of_the_training_rows() -> None:
    rows = table(a=["1", "3", "1", "3", "100"])
    encoded = fit(rows).apply(rows)
    assert encoded.dtype == np.float32
    assert encoded[:4, 0].tolist() == [-1, 1, -1, 1]
    assert encoded[4, 0] == 5.0  # held at data.csv.clip
    assert fit(rows, clip=None).apply(rows, np.array([4]))[0, 0] == 98.0


def test_a_missing_number_is_the_median_and_marked() -> None:
    rows = table(a=["0", "1", None, "5"])
    encoding = fit(rows)
    # Present 0, 1, 5: median 1; filled 0, 1, 1, 5: mean 1.75.
    deviation = math.sqrt((1.75**2 + 2 * 0.75**2 + 3.25**2) / 4)
    assert encoding.to_json()["features"] == ["a", "a (missing)"]
    assert encoding.apply(rows)[2] == pytest.approx([(1 - 1.75) / deviation, 1])
    assert encoding.apply(rows)[:, 1].tolist() == [0, 0, 1, 0]


def test_one_missing_only_later_is_filled_without_a_mark() -> None:
    rows = table(a=["1", "3", "2", "2", "?"])
    encoding = fit(rows)
    assert encoding.to_json()["features"] == ["a"]
    assert encoding.apply(rows)[4].tolist() == [0.0]


def test_logarithm_of_skewed_columns() -> None:
    rows = table(a=["0", str(math.e - 1), "0", str(1 - math.e)])
    encoded = fit(rows, log=("a",)).apply(rows)[:, 0]
    assert encoded * math.sqrt(0.5) == pytest.approx([0, 1, 0, -1])  # mean 0, variance 1/2


def test_categories_are_one_hot_with_a_place_for_others() -> None:
    rows = table(a=["x", "y", "x", None, "new"])
    encoding = fit(rows)
    assert encoding.to_json()["features"] == ["a=(missing)", "a=x", "a=y", "a=(other)"]
    assert encoding.apply(rows).tolist() == [
        [0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1],
    ]  # fmt: skip


def test_rare_categories_and_too_many_count_as_other() -> None:
    rows = table(a=["x", "x", "z", "y", "y"])
    train = np.arange(5)
    assert fit(rows, train, min_category_count=2).to_json()["columns"][0]["values"] == ["x", "y"]
    assert fit(rows, train, max_categories=1).to_json()["columns"][0]["values"] == ["x"]


def test_types_are_guessed_from_training_rows_and_can_be_set() -> None:
    rows = table(a=["1", "2", "1", "2", "many"])
    with pytest.raises(DataError, match="column 'a', sample 4: 'many'; expected a number; mend"):
        fit(rows).apply(rows)
    assert fit(rows, types={"a": "category"}).input_shape == (3,)
    with pytest.raises(DataError, match=r"set data.csv.types.a=category"):
        fit(rows, np.arange(5), types={"a": "number"})


def test_a_constant_column_is_zero() -> None:
    rows = table(a=["7", "7", "7", "7"], b=["1", "2", "3", "4"])
    assert fit(rows).apply(rows)[:, 0].tolist() == [0, 0, 0, 0]


def test_columns_of_numbers_need_no_text() -> None:
    rows = Table({"a": np.array([1.0, 3.0, np.nan, 2.0])})
    assert fit(rows).apply(rows)[2, 1] == 1
    codes = fit(rows, types={"a": "category"})
    assert codes.to_json()["columns"][0]["values"] == ["", "1", "2", "3"]


def test_only_the_training_rows_are_looked_at() -> None:
    first = table(a=["1", "3", "1", "3", "9"], b=["x", "y", "x", "y", "z"])
    second = table(a=["1", "3", "1", "3", "0"], b=["x", "y", "x", "y", "q"])
    assert fit(first) == fit(second)


def test_the_encoding_survives_json_and_is_what_ships() -> None:
    rows = table(a=["1", "3", None, "3"], b=["x", "y", "x", None])
    encoding = fit(rows, ignore=())
    content = json.loads(json.dumps(encoding.to_json()))
    again = TableEncoding.from_json(content)
    np.testing.assert_array_equal(again.apply(rows), encoding.apply(rows))
    np.testing.assert_array_equal(encode(rows.columns, content), encoding.apply(rows))
    assert encoding.input_dtype == "float32"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"ignore": ("c",)}, "data.csv.ignore: no column 'c'"),
        ({"log": ("b",)}, "data.csv.log: column 'b' holds categories"),
        ({"ignore": ("a", "b")}, "no column is left"),
        ({"types": {"bb": "number"}}, "data.csv.types: no column 'bb'; "),
    ],
)
def test_refusals(values: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        fit(table(a=["1", "2", "3", "4"], b=list("xyxy")), **values)


def test_a_column_without_a_value() -> None:
    rows = table(a=[None] * 4, b=["1", "2", "3", "4"])
    with pytest.raises(DataError, match="column 'a' has no value in the training split"):
        fit(rows, types={"a": "number"})


def test_digest_tells_tables_apart() -> None:
    digests = {
        table(a=["1", None]).digest(), table(a=["1", ""]).digest(), table(a=["1", "2"]).digest(),
        table(b=["1", "2"]).digest(), table(a=["12", ""]).digest(),
    }  # fmt: skip
    assert len(digests) == 5
