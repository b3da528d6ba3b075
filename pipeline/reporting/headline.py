"""The one sentence that says what the chain won and what it lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.statistics import is_significant, paired_difference, paired_interval
from pipeline.reporting.units import (
    accuracy_decimals,
    format_bytes,
    format_percent,
    format_points,
    format_probability,
    format_ratio,
    is_number,
)

BASELINE = "float"


def build_headline(evaluate: Mapping[str, Any] | None, deploy: str | None) -> dict[str, Any] | None:
    """Compares the smallest file, and the one to deploy if it is another, with the float file.

    Args:
        evaluate: metrics of the stage evaluate; None when the chain has none.
        deploy: file name that export chose to ship, such as "int8.tflite".

    Returns:
        {"smallest": comparison, "deploy": comparison | None} or None without an evaluation;
        see `compare_files` for a comparison.
    """
    if evaluate is None or not evaluate["files"]:
        return None
    files = evaluate["files"]
    smallest = min(files, key=lambda entry: entry["gzip_bytes"])
    shipped = next((entry for entry in files if entry["file"] == deploy), None)
    return {
        "smallest": compare_files(smallest, files, evaluate),
        "deploy": None
        if shipped is None or shipped is smallest
        else compare_files(shipped, files, evaluate),
    }


def compare_files(
    entry: Mapping[str, Any], files: Sequence[Mapping[str, Any]], evaluate: Mapping[str, Any]
) -> dict[str, Any]:
    """Figures and sentence for one file against the float file, on the same samples.

    Args:
        entry: the file's row of `evaluate["files"]`.
        files: all rows; the one named "float" is the baseline.
        evaluate: the metrics, for `split` and `samples`.

    Returns:
        dict: `file`, `name`, `size_bytes`, `gzip_bytes`, `raw_ratio`, `gzip_ratio`, `accuracy`,
        `accuracy_interval`, `baseline` (the float file), `baseline_accuracy`,
        `accuracy_difference` (a fraction; negative is a loss), `difference_interval`,
        `p_value`, `significant`, `sentence`; what cannot be said (no float file, no paired
        test) is None.
    """
    baseline = next((other for other in files if other["name"] == BASELINE), None)
    facts: dict[str, Any] = {
        key: entry.get(key)
        for key in ("file", "name", "size_bytes", "gzip_bytes", "raw_ratio", "gzip_ratio",
                    "accuracy", "accuracy_interval")
    }  # fmt: skip
    facts |= {
        "baseline": None if baseline is None or baseline is entry else baseline["file"],
        "baseline_accuracy": None if baseline is None else baseline.get("accuracy"),
        "accuracy_difference": None,
        "difference_interval": None,
        "p_value": None,
        "significant": None,
    }
    pairs = entry.get("mcnemar")
    if pairs is not None:
        counts = (pairs["float_only"], pairs["file_only"], evaluate["samples"])
        facts["accuracy_difference"] = paired_difference(*counts)
        facts["difference_interval"] = list(paired_interval(*counts))
        facts["p_value"] = pairs["p_value"]
        facts["significant"] = is_significant(pairs["p_value"])
    facts["sentence"] = describe_size(entry, baseline) + describe_accuracy(facts, evaluate) + "."
    return facts


def describe_size(entry: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> str:
    """What the file takes, against the float file as it is and compressed."""
    gzipped, raw = format_bytes(entry["gzip_bytes"]), format_bytes(entry["size_bytes"])
    if baseline is None or entry is baseline:
        return f"{entry['file']} is {raw}, {gzipped} after gzip"
    return (
        f"{entry['file']} is {gzipped} after gzip, {format_ratio(entry['gzip_ratio'])} smaller "
        f"than the raw {baseline['file']} ({format_bytes(baseline['size_bytes'])}; "
        f"{format_bytes(baseline['gzip_bytes'])} after gzip)"
    )


def describe_accuracy(facts: Mapping[str, Any], evaluate: Mapping[str, Any]) -> str:
    """Accuracy, difference with interval and p, and whether chance could explain it."""
    if not is_number(facts["accuracy"]):
        return ""
    samples = evaluate["samples"]
    decimals = accuracy_decimals(samples)
    text = (
        f", and classifies {format_percent(facts['accuracy'], decimals)} of the {samples:,} "
        f"{evaluate['split']} samples correctly"
    )
    if facts["accuracy_difference"] is None or not is_number(facts["baseline_accuracy"]):
        return text
    low, high = facts["difference_interval"]
    return (
        f"{text} against {format_percent(facts['baseline_accuracy'], decimals)}: "
        f"{describe_difference(facts['accuracy_difference'], decimals)} (95 % interval "
        f"{format_points(low, decimals)} to {format_points(high, decimals)}, McNemar "
        f"{format_probability(facts['p_value'])}), {give_verdict(facts, decimals)}"
    )


def describe_difference(difference: float, decimals: int) -> str:
    """The difference in words: "1.1 points lower", "no difference"."""
    if difference == 0:
        return "no difference"
    size = format_points(abs(difference), decimals).lstrip("+")
    return f"{size} points {'lower' if difference < 0 else 'higher'}"


def give_verdict(facts: Mapping[str, Any], decimals: int) -> str:
    """What the test allows to be said; no evidence of a drop is not evidence of none."""
    if facts["significant"]:
        return f"a significant {'drop' if facts['accuracy_difference'] < 0 else 'gain'}"
    low = facts["difference_interval"][0]
    worst = format_points(abs(low), decimals).lstrip("+")
    if low >= 0 or float(worst) == 0:
        return "not a significant difference"
    return f"not a significant difference, though a drop of up to {worst} points is not ruled out"
