"""Rows and texts of files: CSV in its many forms, packed or not.

Stand-alone, like data.raw_input, with which it travels inside `run_model.py`: Python's standard
library only. Faults are ValueErrors of one line that name file and line.
"""

from __future__ import annotations

import csv
import importlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# Ending → module that unpacks it; imported when needed, since small Pythons lack some of them.
COMPRESSED = {".gz": "gzip", ".xz": "lzma", ".bz2": "bz2"}
DELIMITERS = (",", "\t", ";", "|")
SNIFFED_LINES = 50
# Of the first lines, the part that must have as many fields as each other.
EVEN_LINES = 0.8
LONGEST_FIELD = 2**24
LARGEST_UNPACKED = 2 * 10**9  # bytes; a small packed file can hold far more than memory

Rows = list[tuple[int, list[str]]]


def read_rows(path: Path, delimiter: str | None, quotes: bool = True) -> Rows:
    """Reads the fields of a CSV file.

    Args:
        path: UTF-8; .gz, .xz and .bz2 are unpacked.
        delimiter: one character; None to find out.
        quotes: False where quotation marks mean themselves.

    Returns:
        (line number, fields without outer spaces) of each line that is not empty; all lines have
        as many fields as the first.
    """
    text = read_text(path)
    sign = sniff_delimiter(text, quotes) if delimiter is None else delimiter
    rows: Rows = []
    for line, fields in parse_rows(text, sign, quotes, path):
        if len(fields) <= 1 and not "".join(fields).strip():
            continue
        if rows and len(fields) != len(rows[0][1]):
            raise ValueError(
                f"{path}:{line}: {len(fields)} fields, line {rows[0][0]} has {len(rows[0][1])} "
                f"(delimiter {sign!r})"
            )
        rows.append((line, [field.strip() for field in fields]))
    if not rows:
        raise ValueError(f"{path}: is empty; expected rows of data")
    return rows


def parse_rows(
    text: str, delimiter: str, quotes: bool, path: Path
) -> Iterator[tuple[int, list[str]]]:
    """Yields (line number, fields). Lines end at \\n or \\r\\n only, whatever Unicode says."""
    csv.field_size_limit(LONGEST_FIELD)
    lines = (line + "\n" for line in text.split("\n"))
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        skipinitialspace=True,
        strict=True,
    )
    try:
        for fields in reader:
            yield reader.line_num, fields
    except csv.Error as error:
        raise ValueError(f"{path}:{reader.line_num}: {error}") from error


def read_text(path: Path) -> str:
    """Reads a file as UTF-8, unpacked if its name says so; a byte order mark is dropped."""
    try:
        with _open(path) as file:
            packed = path.suffix.lower() in COMPRESSED
            data: bytes = file.read(LARGEST_UNPACKED + 1 if packed else -1)
        if packed and len(data) > LARGEST_UNPACKED:
            raise ValueError(f"unpacks to more than {LARGEST_UNPACKED:.0e} bytes; unpack it")
    except ImportError as error:
        raise ValueError(f"{path}: this Python cannot unpack it ({error}); unpack it") from error
    except Exception as error:  # each unpacker has errors of its own for a torn file
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path}: cannot be read: {reason}") from error
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}:{line}: byte {data[error.start]:#04x} is not UTF-8; "
                         "save the file as UTF-8") from error  # fmt: skip


def _open(path: Path) -> Any:
    module = COMPRESSED.get(path.suffix.lower())
    return path.open("rb") if module is None else importlib.import_module(module).open(path, "rb")


def sniff_delimiter(text: str, quotes: bool) -> str:
    """Finds the delimiter that gives the first lines the same number of fields, above one.

    Returns:
        A comma where none does.
    """
    head = "\n".join(text.split("\n", SNIFFED_LINES)[:SNIFFED_LINES])
    best = (EVEN_LINES, 0, DELIMITERS[0])
    for rank, sign in enumerate(DELIMITERS):
        try:
            widths = [len(fields) for _, fields in parse_rows(head, sign, quotes, Path()) if fields]
        except ValueError:
            continue
        width, count = Counter(widths).most_common(1)[0] if widths else (1, 0)
        if width > 1 and (count / len(widths), -rank) >= best[:2]:
            best = (count / len(widths), -rank, sign)
    return best[2]


def pick_columns(
    rows: Rows, names: Sequence[str], file_columns: Sequence[str] | None, path: Path
) -> dict[str, list[str]]:
    """Picks columns by name from a header, or by place where there is none.

    Without a header, rows hold either the columns of the training file or just those that are
    wanted, in their order.
    """
    first = rows[0][1]
    if set(names) <= set(first):
        order, body = first, rows[1:]
    elif len(first) == len(names):
        order, body = list(names), rows
    elif file_columns is not None and len(first) == len(file_columns):
        order, body = list(file_columns), rows
    else:
        raise ValueError(
            f"{path}:{rows[0][0]}: {len(first)} fields; expected a header with the columns "
            f"{', '.join(names)}, or rows of these {len(names)}"
        )
    return {name: [fields[order.index(name)] for _, fields in body] for name in names}
