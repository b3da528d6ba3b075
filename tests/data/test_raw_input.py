"""From files to arrays, as the shipped program does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.raw_input import encode, read_raw, to_category, to_number

COMMON = {"delimiter": None, "quotes": True}
TABLE: dict[str, Any] = {
    **COMMON,
    "kind": "table",
    "file_columns": ["size", "colour", "price"],
    "missing": ["", "?"],
    "columns": [
        {"name": "size", "type": "number", "log": False, "fill": 2.0, "scale": 0.5, "offset": -1.0,
         "clip": 5.0, "indicator": True},
        {"name": "colour", "type": "category", "values": ["red"]},
    ],
}  # fmt: skip
TEXT: dict[str, Any] = {
    **COMMON,
    "kind": "text",
    "column": "text",
    "file_columns": ["text", "label"],
    "length": 3,
    "padding": "before",
    "vocabulary": ["good", "bad"],
}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ["colour,size\nred,4\nblue,?\n", "4,red,9\n?,blue,9\n"])
def test_a_table_by_its_header_or_as_it_was_trained(tmp_path: Path, text: str) -> None:
    raw = read_raw(write(tmp_path / "a.csv", text), TABLE)
    # 4·0.5 − 1 = 1; the missing size is 2, which is 0.
    assert encode(raw, TABLE).tolist() == [[1, 0, 1, 0], [0, 1, 0, 1]]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "Good. Bad!\n\nso good so bad\n"),
        ("b.txt", "Good. Bad!\t1\nso good so bad\t0\n"),
        ("c.csv", "label,text\n1,Good. Bad!\n0,so good so bad\n"),
        ("d.csv", "Good. Bad!,1\nso good so bad,0\n"),
    ],
)
def test_texts_by_line_and_by_column(tmp_path: Path, name: str, text: str) -> None:
    raw = read_raw(write(tmp_path / name, text), TEXT)
    assert raw == ["Good. Bad!", "so good so bad"]
    assert encode(raw, TEXT).tolist() == [[0, 2, 3], [1, 2, 1]]


def test_arrays_pass_as_they_are(tmp_path: Path) -> None:
    array = np.arange(6).reshape(2, 3)
    np.save(tmp_path / "a.npy", array)
    for encoding in (None, TABLE, TEXT, {"kind": "tokens", "tokens": 9}):
        raw = read_raw(tmp_path / "a.npy", encoding)
        np.testing.assert_array_equal(encode(raw, encoding), array)


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [(None, ".npy"), (TABLE, ".csv or .npy"), (TEXT, ".txt, .csv or .npy")],
)
def test_a_file_of_another_kind(
    tmp_path: Path, encoding: dict[str, Any] | None, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"a.png: expected {expected}"):
        read_raw(tmp_path / "a.png", encoding)


@pytest.mark.parametrize(
    ("value", "number"),
    [("1e3", 1000.0), (" 2 ", 2.0), (3.5, 3.5), ("1_000", None), ("inf", None), ("x", None)],
)
def test_what_is_a_number(value: Any, number: float | None) -> None:
    assert to_number(value) == number


def test_what_is_a_category() -> None:
    missing = frozenset({"?"})
    assert [to_category(value, missing) for value in ("a", "?", None, 2.0, np.nan)] == [
        "a", "", "", "2", "",
    ]  # fmt: skip
