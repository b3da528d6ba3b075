"""Reads texts with their answers: CSV or tab-separated files, or a folder of .txt per class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.data.arrays import Part
from pipeline.data.csv_file import CsvFile, read_csv_file, to_answer
from pipeline.data.rows import read_rows, read_text
from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.config.text import TextConfig

TASKS_OF_TEXTS = ("classification", "binary", "regression")


def read_texts(paths: Sequence[Path], config: TextConfig, task: str) -> Part:
    """Reads texts and answers.

    Args:
        paths: files of rows, or folders with one folder of .txt files per class; what they hold
            follows each other.
        config: the section data.text.
        task: data.task: classification, binary or regression.

    Returns:
        Texts, object (n,) of str; answers as text (n,), or float64 (n, 1) for regression.

    Raises:
        DataError: naming file and line.
    """
    if task not in TASKS_OF_TEXTS:
        raise DataError(
            f"data.task {task}: texts have one answer each, expected one of "
            f"{', '.join(TASKS_OF_TEXTS)}"
        )
    texts: list[str] = []
    answers: list[str | float] = []
    for path in paths:
        found = _read_folder(path, task) if path.is_dir() else _read_rows(path, config, task)
        texts += [text for text, _ in found]
        answers += [answer for _, answer in found]
    y = np.array(answers, dtype=object)
    return Part(np.array(texts, dtype=object), y.astype(np.float64)[:, None]
                if task == "regression" else y)  # fmt: skip


def _read_rows(path: Path, config: TextConfig, task: str) -> list[tuple[str, str | float]]:
    file = _open_rows(path, config)
    text = file.place_of(config.text, "data.text.text")
    label = file.place_of(config.label, "data.text.label")
    return [
        (fields[text], to_answer(fields[label], task, path, line, config.label))
        for line, fields in file.rows
    ]


def _open_rows(path: Path, config: TextConfig) -> CsvFile:
    """Two columns without a header are taken as text and label, in this order."""
    if config.columns is None:
        delimiter = None if config.delimiter == "auto" else config.delimiter
        try:
            rows = read_rows(path, delimiter, config.quotes)
        except ValueError as error:
            raise DataError(f"{error}; see data.text.delimiter and data.text.quotes") from error
        if len(rows[0][1]) == 2 and not {config.text, config.label} & set(rows[0][1]):
            return CsvFile(path, (config.text, config.label), rows)
    return read_csv_file(path, config, "data.text")


def _read_folder(path: Path, task: str) -> list[tuple[str, str | float]]:
    if task == "regression":
        raise DataError(f"{path}: a folder per class has no numbers to predict; give a CSV file")
    found: list[tuple[str, str | float]] = []
    # What is hidden is not in the digest of the source either.
    for folder in sorted(entry for entry in path.glob("[!.]*") if entry.is_dir()):
        for file in sorted(folder.glob("[!.]*.txt")):
            try:
                found.append((read_text(file).strip(), folder.name))
            except ValueError as error:
                raise DataError(str(error)) from error
    if not found:
        raise DataError(f"{path}: no folder with .txt files in it; expected one folder per class")
    return found
