"""The largest model whose measured latency meets a target, by bisection over multiply-accumulates.

Latency is no sum over channels, so what goes is spread by multiply-accumulates, and the files of
a few fractions of these are timed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import cpu_name
from pipeline.config.narrow import NarrowTarget
from pipeline.errors import PromiseError
from pipeline.narrowing.selection import Selection
from pipeline.tflite.relative_latency import RelativeLatency, describe_runtime

# The interval of fractions that is left at the end: a 64th of the first.
BISECTIONS = 6
# By how much the last measurement may miss the target, as a fraction of it: medians of files that
# run for some microseconds differ by so much from one hour to the next.
TOLERANCE = 0.1

# int (groups,), units removed of each → the latency of what is left, beside the whole one's.
Measure = Callable[[np.ndarray], RelativeLatency]


def choose_by_latency(
    selection: Selection, target: NarrowTarget, measure: Measure, record: Path
) -> tuple[np.ndarray, dict[str, Any]]:
    """Finds how many units each group loses, so that a target in latency is met.

    Args:
        selection: spreads what goes by multiply-accumulates.
        target: a fraction of the latency.
        measure: times what is left.
        record: file of what was found. It is read where it is there: a fine-tuning that was killed
            goes on with the same model, whatever the clock would say now.

    Returns:
        int64 (groups,), and what was tried: runtime, cpu, target, chosen (fraction of the
        multiply-accumulates), tried (macs_fraction, ms, whole_ms, fraction of each).

    Raises:
        PromiseError: not even the smallest model meets the target.
    """
    if record.is_file():
        found = json.loads(record.read_text(encoding="utf-8"))
        selection.curves = [{int(n): rise for n, rise in curve} for curve in found["curves"]]
        return np.array(found["removed"], dtype=np.int64), found["latency"]
    tried: list[dict[str, float]] = []

    def passes(removed: np.ndarray) -> bool:
        measured = measure(removed)
        tried.append(
            {
                "macs_fraction": selection.fraction_left(removed),
                "ms": measured.ms,
                "whole_ms": measured.whole_ms,
                "fraction": measured.fraction,
            }
        )
        return measured.fraction <= target.fraction

    removed = selection.most
    if not passes(removed):
        raise PromiseError(_cannot_be_met(target, tried[0]))
    low, high = selection.least, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        candidate = selection.choose(middle)
        if np.array_equal(candidate, removed) or passes(candidate):
            low, removed = middle, candidate
        else:
            high = middle
    latency = {
        "runtime": describe_runtime(target.measured_by),
        "cpu": cpu_name(),
        "target": target.fraction,
        "tolerance": TOLERANCE,
        "chosen": selection.fraction_left(removed),
        "tried": tried,
    }
    curves = [list(curve.items()) for curve in selection.curves]
    write_json_atomic(record, {"removed": removed.tolist(), "latency": latency, "curves": curves})
    return removed, latency


def check_latency(target: NarrowTarget, measured: RelativeLatency) -> dict[str, float]:
    """Checks the promise on the file of the model that was fine-tuned.

    Returns:
        Its ms, whole_ms and fraction.

    Raises:
        PromiseError: more remains than the target and TOLERANCE allow.
    """
    if measured.fraction > target.fraction * (1 + TOLERANCE):
        raise PromiseError(
            f"narrow: {measured.fraction:.3f} of the int8 latency remain under "
            f"{describe_runtime(target.measured_by)} ({measured.ms:.4g} of "
            f"{measured.whole_ms:.4g} ms), expected at most {target.fraction:g} and "
            f"{TOLERANCE:.0%} of it; was the machine busy? Run it again, or raise target.latency"
        )
    return {"ms": measured.ms, "whole_ms": measured.whole_ms, "fraction": measured.fraction}


def _cannot_be_met(target: NarrowTarget, best: dict[str, float]) -> str:
    advice = "raise the target, lower min_channels"
    if target.measured_by == "litert":
        advice += ", or give runtime: tflite_micro if that is what will run it"
    return (
        f"narrow: target.latency {target.fraction:g} cannot be met under "
        f"{describe_runtime(target.measured_by)}: the best that could be reached is "
        f"{best['fraction']:.3f} ({best['ms']:.4g} of {best['whole_ms']:.4g} ms), with all that "
        f"min_channels lets go and {best['macs_fraction']:.3f} of the multiply-accumulates left; "
        f"the latency of small models hardly follows these: {advice}"
    )
