"""What `slimline predict` prints."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.files import write_bytes_atomic
from pipeline.prediction.predict import Prediction, predict
from pipeline.reporting.tables import format_table
from pipeline.reporting.units import format_percent


def run_and_show(
    file: Path, inputs: tuple[str, ...], top: int, output: Path | None, as_json: bool
) -> None:
    """Predicts, writes the raw outputs if asked, and prints the answers."""
    found = predict(file, inputs, top)
    if output is not None:
        stream = io.BytesIO()
        np.save(stream, found.outputs)
        write_bytes_atomic(output, stream.getvalue())
    for note in found.notes:
        print(f"  note: {note}", file=sys.stderr)
    if as_json:
        print(json.dumps(to_json(found, output), allow_nan=False))
    elif sys.stdout.isatty():
        print(table(found))
    else:
        print("\n".join(map(tab_line, found.answers)))


def to_json(found: Prediction, output: Path | None) -> dict[str, Any]:
    """Returns the one object of --json."""
    return {
        "file": str(found.file),
        "sha256": found.sidecar["sha256"],
        "task": found.sidecar["task"],
        "answers": found.answers,
        "output": None if output is None else str(output),
        "notes": list(found.notes),
    }


def table(found: Prediction) -> str:
    """Returns a row per sample, for people."""
    several = len({answer["input"] for answer in found.answers}) > 1
    rows, headers, align = [], ["sample"], "r"
    if several:
        headers, align = [*headers, "input"], align + "l"
    for answer in found.answers:
        lead = [str(answer["sample"]), *([answer["input"]] if several else [])]
        rows.append([*lead, *_cells(answer)])
    first = found.answers[0]
    if "top" in first:
        own = ["label", "probability"] if "label" in first else ["labels above 50 %"]
        told = len(first["top"]) - (1 if "label" in first else 0)
        own += ["next"] if told and "label" in first else ["most probable"] if told else []
        align += "lrl" if "label" in first else "ll"
    else:
        own = list(first.get("values", {"mean squared error": None}))
        align += "r" * len(own)
    return format_table([*headers, *own], rows, align)


def _cells(answer: Mapping[str, Any]) -> list[str]:
    if "label" in answer:
        cells = [answer["label"], format_percent(answer["score"])]
        return [*cells, _scores(answer["top"][1:])] if answer["top"][1:] else cells
    if "labels" in answer:
        return [", ".join(answer["labels"]) or "(none)", _scores(answer["top"])]
    if "values" in answer:
        return [f"{value:.6g}" for value in answer["values"].values()]
    return [f"{answer['error']:.6g}"]


def _scores(entries: list[Mapping[str, Any]]) -> str:
    return ", ".join(f"{entry['label']} {format_percent(entry['score'])}" for entry in entries)


def tab_line(answer: Mapping[str, Any]) -> str:
    """Returns the fields of one sample between tabs: its number, then names and figures."""
    fields = [str(answer["sample"])]
    if "top" in answer:
        for entry in answer["top"]:
            fields += [_plain(entry["label"]), f"{entry['score']:.4f}"]
    elif "values" in answer:
        for name, value in answer["values"].items():
            fields += [_plain(name), f"{value:.6g}"]
    else:
        fields.append(f"{answer['error']:.6g}")
    return "\t".join(fields)


def _plain(text: str) -> str:
    """A name must not break the line into other fields."""
    return " ".join(text.split())
