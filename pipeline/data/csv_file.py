"""Reads CSV files as they lie around (.csv, .tsv, .gz, .xz, .bz2) as tables with answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.config.suggest import did_you_mean
from pipeline.data.arrays import Part
from pipeline.data.raw_input import to_number
from pipeline.data.rows import Rows, read_rows
from pipeline.data.table import Table
from pipeline.errors import DataError
from pipeline.tasks.task import TASKS

if TYPE_CHECKING:
    from pipeline.config.csv import CsvConfig, CsvFormat


@dataclass(frozen=True)
class CsvFile:
    """A file's columns and rows.

    Attributes:
        path: the file.
        columns: names, in order.
        rows: (line number, one field per column).
    """

    path: Path
    columns: tuple[str, ...]
    rows: Rows

    def place_of(self, name: str, key: str) -> int:
        """Returns where a column stands; DataError naming the configuration's key if nowhere."""
        if name not in self.columns:
            raise DataError(
                f"{self.path}: no column '{name}' ({key}){did_you_mean(name, self.columns)}; "
                "without a header give the names in columns"
            )
        return self.columns.index(name)


def read_csv_file(path: Path, config: CsvFormat, key: str = "data.csv") -> CsvFile:
    """Reads one file; its first line is the header unless the configuration names the columns.

    Args:
        path: UTF-8, packed or not.
        config: delimiter, quotes, columns.
        key: the section, for messages.

    Raises:
        DataError: the file cannot be read; it names file and line.
    """
    delimiter = None if config.delimiter == "auto" else config.delimiter
    try:
        rows = read_rows(path, delimiter, config.quotes)
    except ValueError as error:
        raise DataError(f"{error}; see {key}.delimiter and {key}.quotes") from error
    first_line, first = rows[0]
    columns = tuple(first) if config.columns is None else config.columns
    if len(columns) != len(first):
        raise DataError(
            f"{path}:{first_line}: {len(first)} fields, {key}.columns names {len(columns)}"
        )
    for place, name in enumerate(columns):
        if not name or name in columns[:place]:
            raise DataError(
                f"{path}:{first_line}: column {place + 1} is called {name!r}; expected a header "
                f"of different names; for a file without one give {key}.columns"
            )
    body = rows[1:] if tuple(first) == columns else rows
    if not body:
        raise DataError(f"{path}: has a header and no rows; expected samples")
    return CsvFile(path, columns, body)


def read_tables(paths: Sequence[Path], config: CsvConfig, task: str) -> Part:
    """Reads files of one layout as one table with its answers.

    Args:
        paths: the files; their rows follow each other.
        config: the section data.csv.
        task: data.task.

    Returns:
        Columns of str, None where a value is missing; answers as text (n,) for classification and
        binary, float64 (n, targets) for regression and multi_label, None where
        the task has no answers.

    Raises:
        DataError: naming file, line and column.
    """
    if not config.targets and TASKS[task].has_answers:
        raise DataError("data.csv.target: received none; name the column of the answers")
    files = [read_csv_file(path, config) for path in paths]
    for file in files[1:]:
        if file.columns != files[0].columns:
            raise DataError(
                f"{file.path}: columns {', '.join(file.columns)}; expected those of "
                f"{files[0].path}: {', '.join(files[0].columns)}"
            )
    missing = frozenset(config.missing)
    columns = {
        name: column_of(files, place, missing)
        for place, name in enumerate(files[0].columns)
        if name not in config.targets
    }
    return Part(Table(columns), _read_answers(files, config, task))


def column_of(files: Sequence[CsvFile], place: int, missing: frozenset[str]) -> np.ndarray:
    """Returns object (n,) of str, None for the marks of missing values."""
    values = [row[place] for file in files for _, row in file.rows]
    return np.array([None if value in missing else value for value in values], dtype=object)


def answer_names(config: CsvConfig, task: str, answers: np.ndarray | None) -> tuple[str, ...]:
    """Names classes, labels or targets, in the order of the model's outputs.

    Args:
        config: the section data.csv.
        task: data.task.
        answers: of the rows that training is cut from, as `read_tables` gives them.

    Raises:
        DataError: data.csv.positive is no answer that occurs.
    """
    if task not in ("classification", "binary") or answers is None:
        return config.targets if TASKS[task].has_answers else ()
    names = sort_names(answers)
    if task != "binary" or config.positive is None:
        return names
    if config.positive not in names:
        raise DataError(
            f"data.csv.positive: no answer '{config.positive}'"
            f"{did_you_mean(config.positive, names)}"
        )
    return (*(name for name in names if name != config.positive), config.positive)


def sort_names(answers: np.ndarray) -> tuple[str, ...]:
    """Returns the different answers: by value if all are numbers, else by the alphabet."""
    names = sorted(set(answers))
    numbers = {name: to_number(name) for name in names}
    if None not in numbers.values():
        names.sort(key=lambda name: (numbers[name], name))
    return tuple(names)


def to_answer(field: str, task: str, path: Path, line: int, name: str) -> str | float:
    """Reads one answer: a number for regression and multi_label, else the text itself.

    Args:
        field: as it stands in the file.
        task: data.task.
        path, line, name: file, line and column, for messages.

    Raises:
        DataError: there is no answer, or no number where one is needed.
    """
    if task in ("classification", "binary"):
        if not field:
            raise DataError(
                f"{path}:{line}: column '{name}' is empty, expected an answer; drop the line"
            )
        return field
    number = to_number(field)
    if number is None:
        raise DataError(
            f"{path}:{line}: column '{name}' is {field!r}, data.task {task} expects a number; mend "
            f"or drop the line"
        )
    return number


def _read_answers(files: list[CsvFile], config: CsvConfig, task: str) -> np.ndarray | None:
    if not TASKS[task].has_answers:
        return None
    one_label = task in ("classification", "binary")
    if one_label and len(config.targets) > 1:
        raise DataError(
            f"data.csv.target names {len(config.targets)} columns, data.task {task} takes one"
        )
    answers = []
    for file in files:
        places = [file.place_of(name, "data.csv.target") for name in config.targets]
        for line, fields in file.rows:
            row = []
            for name, place in zip(config.targets, places, strict=True):
                field = "" if fields[place] in config.missing else fields[place]
                field = field.rstrip(config.target_strip) if config.target_strip else field
                row.append(to_answer(field, task, file.path, line, name))
            answers.append(row)
    y = np.array(answers, dtype=object)
    return y[:, 0] if one_label else y.astype(np.float64)
