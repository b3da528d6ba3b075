"""The one sentence that says what the chain won and what it lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.compression.paired import is_significant, paired_difference, paired_interval
from pipeline.reporting.metric import Metric, evaluated_metric
from pipeline.reporting.units import (
    format_bytes,
    format_percent,
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
        evaluate: the metrics, for the metric, `split` and `samples`.

    Returns:
        dict: `file`, `name`, `size_bytes`, `gzip_bytes`, `raw_ratio`, `gzip_ratio`, `metric`,
        `value`, `interval`, `baseline` (the float file), `baseline_value`, `difference` (of
        the metric, file − float), `difference_interval`, `p_value`, `significant`,
        `sentence`, `agreement` (of parity); what cannot be said (no float file, no paired test)
        is None.
    """
    metric = evaluated_metric(evaluate)
    baseline = next((other for other in files if other["name"] == BASELINE), None)
    facts: dict[str, Any] = {
        key: entry.get(key)
        for key in ("file", "name", "size_bytes", "gzip_bytes", "raw_ratio", "gzip_ratio")
    }
    facts |= {
        "metric": metric.name,
        "value": entry.get(metric.name),
        "interval": entry.get(metric.interval_key()),
        "baseline": None if baseline is None or baseline is entry else baseline["file"],
        "baseline_value": None if baseline is None else baseline.get(metric.name),
    }
    facts |= compare_pairs(entry, evaluate["samples"])
    facts["agreement"] = (entry.get("details") or {}).get("agreement")
    quality = describe_quality(facts, evaluate, metric) + describe_agreement(entry)
    facts["sentence"] = describe_size(entry, baseline) + quality + "."
    return facts


def compare_pairs(entry: Mapping[str, Any], samples: int) -> dict[str, Any]:
    """Difference to the float file on the same samples, its interval, and what chance explains.

    Right or wrong answers are compared by McNemar's test; other scores by the interval of
    their mean difference, which is significant when it leaves out 0.
    """
    pairs, paired = entry.get("mcnemar"), entry.get("paired")
    if pairs is not None:
        counts = (pairs["float_only"], pairs["file_only"], samples)
        return {
            "difference": paired_difference(*counts),
            "difference_interval": list(paired_interval(*counts)),
            "p_value": pairs["p_value"],
            "significant": is_significant(pairs["p_value"]),
        }
    if paired is not None and all(map(is_number, paired["interval"])):
        low, high = paired["interval"]
        return {
            "difference": paired["difference"],
            "difference_interval": [low, high],
            "p_value": None,
            "significant": low > 0 or high < 0,
        }
    return dict.fromkeys(("difference", "difference_interval", "p_value", "significant"))


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


def describe_quality(facts: Mapping[str, Any], evaluate: Mapping[str, Any], metric: Metric) -> str:
    """The metric, its difference with interval and p, and whether chance could explain it."""
    if not is_number(facts["value"]):
        return ""
    text = describe_value(facts["value"], evaluate, metric)
    if facts["difference"] is None or not is_number(facts["baseline_value"]):
        return text
    low, high = facts["difference_interval"]
    test = "" if facts["p_value"] is None else f", McNemar {format_probability(facts['p_value'])}"
    return (
        f"{text} against {metric.format(facts['baseline_value'])}: "
        f"{describe_difference(facts['difference'], metric)} (95 % interval "
        f"{metric.format_difference(low)} to {metric.format_difference(high)}{test}), "
        f"{give_verdict(facts, metric)}"
    )


def describe_agreement(entry: Mapping[str, Any]) -> str:
    """Of a file that is judged by parity: the difference's size, and equal answers."""
    details = entry.get("details") or {}
    if "relative_difference" not in details:
        return ""
    share = format_percent(details["relative_difference"], 2)
    text = f", {share} of the outputs' spread"
    if details["agreement"] is None:
        return text
    return f"{text}, and gives the same answer on {format_percent(details['agreement'])} of them"


def describe_value(value: float, evaluate: Mapping[str, Any], metric: Metric) -> str:
    """What the metric's value means for this task."""
    samples = f"the {evaluate['samples']:,} {evaluate['split']} samples"
    if metric.task == "multi_label":
        return f", and gets {metric.format(value)} of the labels of {samples} right"
    if metric.task == "regression":
        return (
            f", and is off by {metric.format(value)} on average ({metric.words}, in "
            f"{metric.unit}) over {samples}"
        )
    if metric.task == "reconstruction":
        return f", and reconstructs {samples} with a {metric.words} of {metric.format(value)}"
    if metric.task == "parity":
        distance = metric.format(value)
        return f", and differs from the float model by {distance} on average over {samples}"
    return f", and classifies {metric.format(value)} of {samples} correctly"


def describe_difference(difference: float, metric: Metric) -> str:
    """The difference in words: "1.1 points lower", "0.004 more error", "no difference"."""
    if difference == 0:
        return "no difference"
    size = metric.format_difference(abs(difference)).lstrip("+")
    if metric.is_share:
        return f"{size} points {'lower' if difference < 0 else 'higher'}"
    return f"{size} {'less' if difference < 0 else 'more'} error"


def give_verdict(facts: Mapping[str, Any], metric: Metric) -> str:
    """What the test allows to be said; no evidence of a loss is not evidence of none."""
    if metric.higher_is_better:
        loss, gain, worst = "drop", "gain", -facts["difference_interval"][0]
    else:
        loss, gain, worst = "increase", "decrease", facts["difference_interval"][1]
    worse = facts["difference"] < 0 if metric.higher_is_better else facts["difference"] > 0
    if facts["significant"]:
        return f"a significant {loss if worse else gain}"
    size = metric.format_difference(worst).lstrip("+")
    if worst <= 0 or (metric.is_share and float(size) == 0):
        return "not a significant difference"
    unit = " points" if metric.is_share else ""
    article = "an" if loss == "increase" else "a"
    return (
        f"not a significant difference, though {article} {loss} of up to {size}{unit} is not "
        "ruled out"
    )
