"""Rows of CSV files in their many forms."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.data import rows
from pipeline.data.rows import pick_columns, read_rows, read_text, sniff_delimiter

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Returns a function that writes text (or bytes) to a file and returns its path."""

    def put(content: str | bytes, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return put


@pytest.mark.parametrize(
    ("name", "pack"),
    [("a.csv", bytes), ("a.csv.gz", gzip.compress), ("a.csv.XZ", lzma.compress),
     ("a.csv.bz2", bz2.compress)],
)  # fmt: skip
def test_plain_and_packed_files(write: Write, name: str, pack: Callable[[bytes], bytes]) -> None:
    path = write(pack("\ufeffname, size\r\nä, 1\n\n b ,2\n".encode()), name)
    assert read_rows(path, None) == [(1, ["name", "size"]), (2, ["ä", "1"]), (4, ["b", "2"])]


@pytest.mark.parametrize("sign", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(sign: str) -> None:
    lines = [sign.join(("1.5", "a b", str(n))) for n in range(5)]
    assert sniff_delimiter("\n".join(lines), True) == sign


def test_a_tab_between_sentences_with_commas() -> None:
    text = "Well, good, yes\t1\nBad\t0\nSo, so\t0\nA, b, c, d\t1"
    assert sniff_delimiter(text, False) == "\t"


def test_one_column_has_no_delimiter() -> None:
    assert sniff_delimiter("a\nb, c\nd\ne", True) == ","


def test_quotes_hold_delimiters_and_lines_or_mean_themselves(write: Write) -> None:
    path = write('"a, b",1\n"two\nlines",2\n')
    assert read_rows(path, ",") == [(1, ["a, b", "1"]), (3, ["two\nlines", "2"])]
    literal = write('He said "no"\t0\n"Yes\t1\n', "b.txt")
    assert read_rows(literal, "\t", quotes=False)[1] == (2, ['"Yes', "1"])


def test_only_line_feeds_end_lines(write: Write) -> None:
    # U+0085 and U+2028 end lines for str.splitlines; two such are among the IMDB sentences.
    path = write("one\u0085more\t1\nsec\u2028ond\t0\n")
    assert [fields for _, fields in read_rows(path, "\t")] == [
        ["one\u0085more", "1"],
        ["sec\u2028ond", "0"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", r"rows.csv:3: 3 fields, line 1 has 2 \(delimiter ','\)"),
        ("", "is empty"),
        (b"a,b\n1,\xff\n", "rows.csv:2: byte 0xff is not UTF-8"),
        ('a,b\n"1"x,2\n', "rows.csv:2: "),
    ],
)
def test_faults_name_file_and_line(write: Write, content: str | bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_rows(write(content), ",")


def test_a_file_that_cannot_be_read(write: Write, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="No such file"):
        read_text(tmp_path / "none.csv")
    with pytest.raises(ValueError, match="cannot be read"):
        read_text(write(gzip.compress(b"a,b\n" * 999)[:-20], "torn.csv.gz"))


def test_a_packed_file_that_holds_too_much(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "LARGEST_UNPACKED", 1000)
    assert len(read_text(write(gzip.compress(b"a" * 1000), "a.csv.gz"))) == 1000
    with pytest.raises(
        ValueError, match=r"b\.csv\.gz: cannot be read: unpacks to more than 1e\+03"
    ):
        read_text(write(gzip.compress(b"a" * 1001), "b.csv.gz"))
    assert len(read_text(write(b"a" * 1001, "plain.csv"))) == 1001


def test_columns_by_name_by_place_or_as_wanted() -> None:
    path = Path("x.csv")
    header = [(1, ["b", "extra", "a"]), (2, ["1", "2", "3"])]
    assert pick_columns(header, ["a", "b"], None, path) == {"a": ["3"], "b": ["1"]}
    wanted = [(1, ["1", "2"])]
    assert pick_columns(wanted, ["a", "b"], ["b", "extra", "a"], path) == {"a": ["1"], "b": ["2"]}
    as_trained = [(1, ["1", "2", "3"])]
    assert pick_columns(as_trained, ["a"], ["b", "extra", "a"], path) == {"a": ["3"]}
    with pytest.raises(ValueError, match=r"x.csv:1: 4 fields; expected a header with .* a, b"):
        pick_columns([(1, ["1"] * 4)], ["a", "b"], None, path)
