"""Rows of a table as numbers: scaled, one-hot, fitted on the training split alone.

The encoding travels in the sidecar, not in the model as Keras preprocessing layers: those look
strings up in hash tables, and neither int8 TFLite nor a microcontroller has strings.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.config.suggest import did_you_mean
from pipeline.data.raw_input import (
    encode_table,
    is_missing,
    parse_numbers,
    to_category,
    to_number,
)
from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.config.csv import CsvConfig


@dataclass(frozen=True)
class Table:
    """Columns of equal length, as they stand in the file; the answers are not among them.

    Attributes:
        columns: name → object (n,) of str (None: missing), or float64 (n,) (NaN: missing).
    """

    columns: dict[str, np.ndarray]

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(next(iter(self.columns.values()), ()))

    def digest(self) -> str:
        """Returns the hex SHA-256 over names and values."""
        digest = hashlib.sha256()
        for name, values in self.columns.items():
            digest.update(json.dumps([name, values.tolist()]).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class TableEncoding:
    """How the columns become features; see docs/sidecar.md for `content`."""

    content: dict[str, Any]

    @classmethod
    def fit(cls, table: Table, train_indices: np.ndarray, config: CsvConfig) -> TableEncoding:
        """Learns types, scales and categories from the training rows.

        Args:
            table: all rows; only those of `train_indices` are looked at.
            train_indices: int64 (m,), m ≥ 1.
            config: the section data.csv.

        Returns:
            The encoding.

        Raises:
            DataError: a column that data.csv names is not there or not of its type, or no column
                is left.
        """
        _check_names(table, config)
        missing = frozenset(config.missing)
        columns = []
        for name, values in table.columns.items():
            if name in config.ignore:
                continue
            train = values[train_indices]
            kind: str | None = config.types.get(name)
            if kind is None:
                kind = _guess_type(train, missing)
            fit = _fit_numbers if kind == "number" else _fit_categories
            columns.append({"name": name, "type": kind, **fit(name, train, missing, config)})
        if not columns:
            raise DataError("data.csv: no column is left to learn from; shorten data.csv.ignore")
        content = {
            "kind": "table",
            "delimiter": None if config.delimiter == "auto" else config.delimiter,
            "quotes": config.quotes,
            "file_columns": None if config.columns is None else list(config.columns),
            "missing": list(config.missing),
            "columns": columns,
        }
        return cls({**content, "features": feature_names(columns)})

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one encoded sample: (features,)."""
        return (len(self.content["features"]),)

    @property
    def input_dtype(self) -> str:
        """The model's input dtype."""
        return "float32"

    def apply(self, table: Table, indices: np.ndarray | None = None) -> np.ndarray:
        """Encodes rows.

        Args:
            table: with the columns that were fitted.
            indices: int64 (m,); None for all rows.

        Returns:
            float32 (m, features).

        Raises:
            DataError: a value of a number column is no number.
        """
        rows = slice(None) if indices is None else indices
        columns: dict[str, Any] = {name: values[rows] for name, values in table.columns.items()}
        try:
            return encode_table(columns, self.content)
        except ValueError as error:
            raise DataError(
                f"{error}; mend it, add it to data.csv.missing, or set data.csv.types"
            ) from error

    def to_json(self) -> dict[str, Any]:
        """Returns the encoding as the sidecar carries it."""
        return self.content

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TableEncoding:
        """Returns the encoding that `to_json` described."""
        return cls(value)


def feature_names(columns: list[dict[str, Any]]) -> list[str]:
    """Names each feature: "age", "age (missing)", "sex=Male", "sex=(other)", in order."""
    names = []
    for column in columns:
        name = column["name"]
        if column["type"] == "number":
            names += [name, f"{name} (missing)"] if column["indicator"] else [name]
        else:
            values = [value or "(missing)" for value in column["values"]]
            names += [f"{name}={value}" for value in (*values, "(other)")]
    return names


def _check_names(table: Table, config: CsvConfig) -> None:
    named = {"ignore": config.ignore, "log": config.log, "types": tuple(config.types)}
    for key, names in named.items():
        for name in names:
            if name not in table.columns:
                raise DataError(
                    f"data.csv.{key}: no column '{name}'{did_you_mean(name, table.columns)}; "
                    f"columns: {', '.join(table.columns)}"
                )


def _guess_type(values: np.ndarray, missing: frozenset[str]) -> str:
    present = [value for value in values if not is_missing(value, missing)]
    numeric = bool(present) and all(to_number(value) is not None for value in present)
    return "number" if numeric else "category"


def _fit_numbers(
    name: str, values: Any, missing: frozenset[str], config: CsvConfig
) -> dict[str, Any]:
    """Zero mean and unit variance of the training rows; missing ones get their median."""
    try:
        numbers = parse_numbers(values, name, missing)
    except ValueError as error:
        raise DataError(f"data.csv: {error}; set data.csv.types.{name}=category") from error
    present = numbers[~np.isnan(numbers)]
    if len(present) == 0:
        raise DataError(
            f"data.csv: column '{name}' has no value in the training split; "
            "name it in data.csv.ignore"
        )
    log = name in config.log
    if log:
        present = np.sign(present) * np.log1p(np.abs(present))
    fill = float(np.median(present))
    filled = np.concatenate([present, np.full(len(numbers) - len(present), fill)])
    deviation = 0.0 if present.min() == present.max() else float(filled.std())
    scale = 1.0 / deviation if deviation > 0 else 1.0
    return {
        "log": log,
        "fill": fill,
        "scale": scale,
        "offset": -float(filled.mean()) * scale,
        "clip": config.clip,
        "indicator": len(present) < len(numbers),
    }


def _fit_categories(
    name: str, values: np.ndarray, missing: frozenset[str], config: CsvConfig
) -> dict[str, Any]:
    """The frequent values of the training rows, in order of the alphabet; "" is a missing one."""
    if name in config.log:
        raise DataError(
            f"data.csv.log: column '{name}' holds categories, expected numbers; take it out of log"
        )
    counts = Counter(to_category(value, missing) for value in values)
    # Equal counts are ordered by value, so that the choice does not depend on the rows' order.
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [value for value, count in ranked if count >= config.min_category_count]
    return {"values": sorted(kept[: config.max_categories])}
