"""report.json: everything a run found, in one stable structure (schema_version 2).

    schema_version  2; rises when a key changes its meaning or goes
    name, seed, created
    task            {name, metric, higher_is_better, class_names}: what models were judged by
    headline        {smallest, deploy}: comparisons with the float file (headline.py), or null
    files           {split, samples, seed, host, deploy, rows: [one per model file]} or null:
                    the rows of evaluate, each with the `parity`, `inputs`, `outputs` and
                    `sha256` that export checked
    training        [{stage, title, best_epoch, history: [rows]}], one per training that ran
    schedules       {stage: [{step, learning_rate[, target_sparsity]}]} as it really ran;
                    points on straight pieces are left out (schedule.csv has every step)
    trials          metrics of tune, each trial with `best_so_far` and `elapsed`, and the
                    importance of the hyperparameters (importance.py), or null
    classes         recall or F1 of each class, float and shipped file (classes.py), or null
    distillation    metrics of distill without its history, or null
    channels        metrics of narrow without its history, or null
    sparsity        metrics of prune without its history, or null
    clusters        metrics of cluster without its history, or null
    weights         histograms of each kernel, float and shipped file (weights.py), or null
    quantization    metrics of quantize without its history, plus the same per file, or null
    data            metrics of data, or null
    preflight       {name, class, parameters, macs, macs_uncounted, inputs, outputs, answers,
                    conversion, layers, remarks, plan, notes}: what was foreseen of each layer of
                    a model that was there before the run (preflight/verdicts.py), or null
    stages          [{stage, key, digest, seconds, cached, made}] in the order of the chain:
                    what each one cost and gained (cost.py)
    configuration   {values, text}
    versions, host, commands

All keys are always there; a section whose stage was not in the chain is null (or empty where it
is a list or an object). NaN and ±Inf become null, so that any JSON reader can read the file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.classes import build_classes
from pipeline.reporting.cost import build_stages
from pipeline.reporting.headline import build_headline
from pipeline.reporting.metric import describe_task, metric_of
from pipeline.reporting.thinning import thin_curve
from pipeline.reporting.trials import build_trials
from pipeline.reporting.weights import build_weights

SCHEMA_VERSION = 2
# What export checked on each file and the report shows beside other figures.
EXPORTED = ("parity", "inputs", "outputs", "sha256")

# Where a stage's metrics keep a training history: (stage, keys on the way to it, title).
HISTORIES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("train", (), "First training"),
    ("tune", (), "Retraining of the search's winner"),
    ("distill", (), "Training of the student"),
    ("narrow", (), "Fine-tuning of the channels that are left"),
    ("prune", (), "Fine-tuning while pruning"),
    ("cluster", (), "Fine-tuning of shared values"),
    ("quantize", ("qat",), "Quantization-aware training"),
)


def build_report(run: Mapping[str, Any]) -> dict[str, Any]:
    """Builds the content of report.json; pure, the same run gives the same report.

    Args:
        run: `name`, `seed`, `config` (the validated configuration as plain values),
            `config_text` (YAML), `stages` (each with `stage`, `key`, `digest`, `seconds` that
            making it took, `cached`, `metrics`), `versions`, `host`, `created` (ISO 8601),
            `commands`, `schedules` ({stage: rows of [step, learning_rate(, target_sparsity)]}),
            `kernels` ({file: its kernels} for `build_weights`) and `importance` (of
            hyperparameters); the last two may be missing.

    Returns:
        dict: plain JSON values only; the structure is at the top of this file.
    """
    run = to_plain(run)
    metrics = {entry["stage"]: entry["metrics"] for entry in run["stages"]}
    deploy = (metrics.get("export") or {}).get("deploy")
    task, files = describe_task(run["config"], metrics), build_files(metrics)
    rows = [] if files is None else files["rows"]
    return {
        "schema_version": SCHEMA_VERSION,
        "name": run["name"],
        "seed": run["seed"],
        "created": run["created"],
        "task": task,
        "headline": build_headline(metrics.get("evaluate"), deploy),
        "files": files,
        "training": build_training(metrics),
        "schedules": {
            stage: build_schedule(rows) for stage, rows in run["schedules"].items() if rows
        },
        "trials": build_trials(metrics.get("tune"), run.get("importance")),
        "classes": build_classes(task, rows, deploy),
        "distillation": without(metrics.get("distill"), "history"),
        "channels": without(metrics.get("narrow"), "history"),
        "sparsity": without(metrics.get("prune"), "history"),
        "clusters": without(metrics.get("cluster"), "history"),
        "weights": build_weights(run.get("kernels"), (deploy or "").removesuffix(".tflite")),
        "quantization": build_quantization(metrics),
        "data": metrics.get("data"),
        "preflight": (metrics.get("load") or {}).get("preflight"),
        "stages": build_stages(run["stages"], metrics, metric_of(task, None)),
        "configuration": {"values": run["config"], "text": run["config_text"]},
        "versions": run["versions"],
        "host": run["host"],
        "commands": run["commands"],
    }


def build_files(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """The table of model files: what evaluate measured, with export's parity beside it."""
    evaluate = metrics.get("evaluate")
    if evaluate is None:
        return None
    return {
        "split": evaluate["split"],
        "samples": evaluate["samples"],
        "seed": evaluate["seed"],
        "host": evaluate.get("host"),
        "deploy": (metrics.get("export") or {}).get("deploy"),
        "rows": add_exported(evaluate["files"], metrics),
    }


def add_exported(files: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[Any]:
    """Adds to each file what export checked on it: parity, inputs and outputs (or null)."""
    exported = {entry["file"]: entry for entry in (metrics.get("export") or {}).get("files", [])}
    return [
        {**file, **{key: exported.get(file["file"], {}).get(key) for key in EXPORTED}}
        for file in files
    ]


def build_training(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One entry per training that left a history, in the order of the chain."""
    curves = []
    for stage, path, title in HISTORIES:
        place: Any = metrics.get(stage)
        for key in path:
            place = None if place is None else place.get(key)
        if place and place.get("history"):
            curves.append(
                {
                    "stage": stage,
                    "title": title,
                    "best_epoch": place.get("best_epoch"),
                    "history": place["history"],
                }
            )
    return curves


def build_schedule(rows: Sequence[Sequence[float]]) -> list[dict[str, float]]:
    """The recorded schedule with only the points that its curves need.

    Args:
        rows: [step, learning_rate] or [step, learning_rate, target_sparsity], steps rising.
    """
    columns = ("learning_rate", "target_sparsity")[: len(rows[0]) - 1]
    kept: set[float] = set()
    for index in range(1, len(columns) + 1):
        kept |= {x for x, _ in thin_curve([(row[0], row[index]) for row in rows])}
    return [
        {"step": int(row[0]), **dict(zip(columns, row[1:], strict=True))}
        for row in rows
        if row[0] in kept
    ]


def build_quantization(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """What quantize promised and export checked, per file."""
    quantize = metrics.get("quantize")
    if quantize is None:
        return None
    return {
        **quantize,
        "qat": without(quantize.get("qat"), "history"),
        "files": add_exported(quantize["files"], metrics),
    }


def without(mapping: Mapping[str, Any] | None, key: str) -> dict[str, Any] | None:
    """A copy without one key; None stays None."""
    if mapping is None:
        return None
    return {name: value for name, value in mapping.items() if name != key}


def to_plain(value: Any) -> Any:
    """JSON values only: NumPy scalars and arrays become Python's, NaN and ±Inf become None."""
    if isinstance(value, Mapping):
        return {to_plain(str(key)): to_plain(item) for key, item in value.items()}
    if isinstance(value, str):
        # A lone surrogate (from a file's bytes) could not be written as UTF-8.
        return value.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return to_plain(value.tolist())
    return to_plain(str(value))
