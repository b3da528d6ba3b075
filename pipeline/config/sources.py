"""The table of sources: what each one gives, so that what does not fit is refused when planned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pipeline.config.suggest import did_you_mean
from pipeline.tasks.task import TASKS

# array: numbers; tokens: token ids; images: decoded when asked for; table: columns; text.
SampleKind = Literal["array", "tokens", "images", "table", "text"]


@dataclass(frozen=True)
class SourceRow:
    """A row of the table.

    Attributes:
        kind: what its samples are.
        path: whether data.path is required, optional (then it is downloaded) or refused.
        answers: classes, numbers, or any of them, as the file has it.
        classes: number of classes, None where the file decides.
    """

    kind: SampleKind
    path: Literal["required", "optional", "refused"]
    answers: Literal["classes", "numbers", "any"] = "any"
    classes: int | None = None


SOURCES: dict[str, SourceRow] = {
    "digits": SourceRow("array", "refused", "classes", 10),
    "npz": SourceRow("array", "required"),
    "csv": SourceRow("table", "required"),
    "text": SourceRow("text", "required"),
    "images": SourceRow("images", "required", "classes"),
    "keras:mnist": SourceRow("array", "optional", "classes", 10),
    "keras:fashion_mnist": SourceRow("array", "optional", "classes", 10),
    "keras:cifar10": SourceRow("array", "optional", "classes", 10),
    "keras:cifar100": SourceRow("array", "optional", "classes", 100),
    "keras:boston_housing": SourceRow("array", "optional", "numbers"),
    "keras:california_housing": SourceRow("array", "optional", "numbers"),
    "keras:imdb": SourceRow("tokens", "optional", "classes", 2),
    "keras:reuters": SourceRow("tokens", "optional", "classes", 46),
}
# Prefix → row and the form of what follows, as a pattern and in words.
PREFIXES: dict[str, tuple[SourceRow, str, str]] = {
    "tfds:": (SourceRow("array", "optional"), r"[\w./:+-]+", "tfds:name, tfds:name/config:1.0.0"),
    "python:": (SourceRow("array", "refused"), r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", "python:module:f"),
}


def source_row(source: str) -> SourceRow:
    """Returns the row of a source.

    Raises:
        ValueError: it is not known.
    """
    if source in SOURCES:
        return SOURCES[source]
    for prefix, (row, pattern, example) in PREFIXES.items():
        if source.startswith(prefix):
            if not re.fullmatch(pattern, source[len(prefix) :]):
                raise ValueError(f"received '{source}', expected the form {example}")
            return row
    known = [*SOURCES, "tfds:NAME", "python:MODULE:FUNCTION"]
    raise ValueError(f"unknown source '{source}'{did_you_mean(source, known)}")


def check_answers(source: str, task: str) -> None:
    """Refuses a task for which the source has no answers.

    Args:
        source: a known source.
        task: a key of TASKS.

    Raises:
        ValueError: naming a task that fits.
    """
    row = source_row(source)
    if not TASKS[task].has_answers:
        if task == "reconstruction" and row.kind in ("tokens", "text"):
            raise ValueError(
                f"task reconstruction expects numbers as samples; {source} has words; set "
                f"task: classification"
            )
        return
    if row.kind == "text" and task == "multi_label":
        raise ValueError("source text has one answer per sample; set task: classification")
    if row.answers == "numbers" and task != "regression":
        raise ValueError(f"{source} has numbers as answers, not classes; set task: regression")
    if row.answers == "classes" and not TASKS[task].has_labels:
        raise ValueError(
            f"{source} has one class per sample; expected task classification, binary or "
            f"reconstruction, not {task}"
        )
    if task == "binary" and row.classes not in (None, 2):
        raise ValueError(f"{source} has {row.classes} classes; set task: classification")
