"""The figures of a comparison as short texts: a table for the terminal, cells for the page."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.reporting.tables import MAX_WIDTH, clean_cell, format_table
from pipeline.reporting.units import (
    MISSING,
    format_bytes,
    format_figure,
    format_milliseconds,
    format_percent,
    format_seconds,
)

Format = Callable[[float], str]


def terminal_table(result: Mapping[str, Any]) -> str:
    """Returns one row per optimizer with mean ± half of the interval, and what the words mean."""
    metric = result["metric"]
    percent = metric == "accuracy"
    rows = []
    for one in result["optimizers"]:
        target = one["target"]
        rows.append(
            (
                one["label"],
                rate_cell(one, source=False),
                plus_minus(one["val_loss"], plain),
                plus_minus(one[f"val_{metric}"], percentage if percent else plain),
                MISSING if one["gap_loss"] is None else plain(one["gap_loss"]["mean"]),
                target_cell(target, "epochs", plus_minus, one_decimal),
                MISSING if target["seconds"] is None else format_seconds(target["seconds"]["mean"]),
                step_cell(one["step_seconds"]),
                format_bytes(one["state_bytes"]),
            )
        )
    headers = ("optimizer", "rate", "val loss", metric, "gap", "epochs*", "time*", "step", "state")
    lines = [format_table(headers, rows, "lrrrrrrrr"), *footnotes(result)]
    return "\n".join(lines)


def footnotes(result: Mapping[str, Any]) -> list[str]:
    """Returns the lines under the terminal table."""
    target, seeds = result["target"], result["seeds"]
    count = len(seeds)
    spread = "one seed" if count == 1 else f"mean ± half of the 95 % interval over {count} seeds"
    lines = [
        f"{spread}; {result['epochs']} epochs of {result['steps_per_epoch']} steps; validation "
        f"data, {result['samples']['validation']:,} samples",
        "gap: validation loss − training loss of the last weights; time and step: the optimizer's "
        "steps alone",
        f"* to validation loss {target['loss']:.4g}: {target['rule']}",
        f"host: {result['host']['cpu']}, {result['host']['cores']} cores",
    ]
    paired = paired_text(result)
    lines += [] if paired is None else [paired]
    lines += [f"note: {note}" for note in result["notes"]]
    return [part for line in lines for part in textwrap.wrap(clean_cell(line), MAX_WIDTH)]


def page_rows(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """Returns, for each optimizer, column name → text with its interval in brackets."""
    metric = result["metric"]
    figure = percentage if metric == "accuracy" else plain
    rows = []
    for one in result["optimizers"]:
        target = one["target"]
        rows.append(
            {
                "optimizer": one["label"],
                "learning rate": rate_cell(one),
                "validation loss": bracketed(one["val_loss"], plain),
                f"validation {metric}": bracketed(one[f"val_{metric}"], figure),
                "gap in loss": bracketed(one["gap_loss"], plain),
                f"gap in {metric}": bracketed(one[f"gap_{metric}"], figure),
                "epochs to target": target_cell(target, "epochs", bracketed, one_decimal),
                "time to target": target_cell(target, "seconds", bracketed, format_seconds),
                "time of a step": bracketed(one["step_seconds"], milliseconds),
                "state": format_bytes(one["state_bytes"]),
            }
        )
    return rows


def paired_text(result: Mapping[str, Any]) -> str | None:
    """The differences to the best optimizer seed by seed, in one sentence."""
    paired = result["paired"]
    if paired is None:
        return None
    told = "; ".join(
        f"{other['label']} {bracketed(other['difference'], signed)}" for other in paired["others"]
    )
    return f"validation loss minus that of {paired['best']}, seed by seed: {told}"


def candidate_rows(result: Mapping[str, Any]) -> list[list[str]]:
    """Returns a row per candidate learning rate, a column per searched optimizer; [] for none."""
    searched = [one for one in result["optimizers"] if one["candidates"]]
    if not searched:
        return []
    rows = [["learning rate", *(one["label"] for one in searched)]]
    for index, candidate in enumerate(searched[0]["candidates"]):
        cells = [format_figure(candidate["learning_rate"])]
        for one in searched:
            tried = one["candidates"][index]
            chosen = " ✓" if tried["learning_rate"] == one["learning_rate"] else ""
            loss = tried["val_loss"]
            cells.append("failed" if loss is None else f"{plain(loss)}{chosen}")
        rows.append(cells)
    return rows


def rate_cell(one: Mapping[str, Any], source: bool = True) -> str:
    """The learning rate and where it comes from."""
    if one["learning_rate"] is None:
        return MISSING
    told = f" [{one['rate_source']}]" if source else ""
    return f"{one['learning_rate']:.4g}{told}"


def target_cell(
    target: Mapping[str, Any],
    quantity: str,
    write: Callable[[Mapping[str, Any] | None, Format], str],
    figure: Format,
) -> str:
    """Epochs or seconds to the target; how many reached it where not all did."""
    if target["reached"] == 0:
        return "not reached"
    if target["reached"] < target["of"]:
        return f"{target['reached']} of {target['of']}"
    return write(target[quantity], figure)


def bracketed(estimate: Mapping[str, Any] | None, figure: Format) -> str:
    """A mean with its interval: 0.071 [0.065, 0.078], 98.1 % [97.2, 99.0]."""
    if estimate is None:
        return MISSING
    if estimate["interval"] is None:
        return figure(estimate["mean"])
    ends = rough if figure in (plain, signed) else figure
    low, high = (_without_unit(ends(end)) for end in estimate["interval"])
    return f"{figure(estimate['mean'])} [{low}, {high}]"


def _without_unit(text: str) -> str:
    """98.1 % [97.2, 99.0]: the unit once; 4 min 05 s stays as it is."""
    number, _, unit = text.partition(" ")
    return number if unit in ("%", "ms", "s") else text


def plus_minus(estimate: Mapping[str, Any] | None, figure: Format) -> str:
    """A mean with half of its interval: 0.071 ±0.006; half of the part that was not cut off."""
    if estimate is None:
        return MISSING
    if estimate["interval"] is None:
        return figure(estimate["mean"])
    mean, (low, high) = estimate["mean"], estimate["interval"]
    # 98.1 ±0.9 %: the unit once
    value, _, unit = figure(mean).partition(" ")
    half = figure(max(mean - low, high - mean)).partition(" ")[0]
    return f"{value} ±{half} {unit}".rstrip()


def plain(value: float) -> str:
    """Three significant digits, without an exponent where a person would not write one."""
    return f"{value:.3g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.1e}"


def signed(value: float) -> str:
    """A difference with its sign."""
    return f"{value:+.2g}"


def rough(value: float) -> str:
    """An end of an interval: two significant digits."""
    return f"{value:.2g}" if abs(value) >= 1e-3 or value == 0 else f"{value:.0e}"


def percentage(value: float) -> str:
    """A fraction as per cent."""
    return format_percent(value)


def one_decimal(value: float) -> str:
    """Epochs, which are means over seeds."""
    return f"{value:.1f}"


def milliseconds(seconds: float) -> str:
    """A short time."""
    return format_milliseconds(1000 * seconds)


def step_cell(estimate: Mapping[str, Any] | None) -> str:
    """The mean time of a step."""
    return MISSING if estimate is None else milliseconds(estimate["mean"])
