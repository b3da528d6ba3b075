"""Runs side by side: what their configurations differ in, what came out, how they trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config.schema import STAGE_NAMES
from pipeline.errors import ConfigError
from pipeline.reporting.metric import describe_task
from pipeline.reporting.report_json import build_training, to_plain

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Differ between any two runs and say nothing about what they do.
UNTOLD = frozenset({"run.name", "report.title"})


@dataclass(frozen=True)
class Run:
    """One finished run: its record (run.json) and the metrics of each of its stages."""

    record: Mapping[str, Any]
    metrics: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.record["name"])

    @property
    def task(self) -> dict[str, Any]:
        """What its models were asked to do."""
        return describe_task(self.record["config"], self.metrics)


def build_comparison(runs: Sequence[Run]) -> dict[str, Any]:
    """Compares runs of one task; pure, JSON values only.

    Args:
        runs: two or more, in the order in which they are shown.

    Returns:
        {"task", "runs": [{letter, name, seed, updated, command, stages, data_digest, host}],
        "warnings": [text], "differences": [{path, values (one per run, None where no stage of
        the run has that section)}], "split", "samples", "files": [a row of evaluate with
        `letter`, `run` and `deploy`], "training": [{stage, title, curves: [{letter, run,
        history}]}], "seconds": [{letter, run, stage, seconds}]}.

    Raises:
        ConfigError: runs of other tasks, or of data with other samples or answers.
    """
    check_same_question(runs)
    described = [describe_one(letter, run) for letter, run in zip(LETTERS, runs, strict=False)]
    evaluated = [run.metrics["evaluate"] for run in runs if run.metrics.get("evaluate")]
    comparison = {
        "task": runs[0].task,
        "runs": described,
        "warnings": find_warnings(runs),
        "differences": find_differences([run.record["config"] for run in runs]),
        "split": evaluated[0]["split"] if evaluated else None,
        "samples": evaluated[0]["samples"] if evaluated else None,
        "files": [
            row
            for one, run in zip(described, runs, strict=True)
            for row in list_files(one, run.metrics)
        ],
        "training": gather_training(described, runs),
        "seconds": [
            {"letter": one["letter"], "run": run.name, **entry}
            for one, run in zip(described, runs, strict=True)
            for entry in ({k: e[k] for k in ("stage", "seconds")} for e in run.record["stages"])
        ],
    }
    plain: dict[str, Any] = to_plain(comparison)
    return plain


def check_same_question(runs: Sequence[Run]) -> None:
    """Refuses runs whose figures answer different questions."""
    first = runs[0]
    for other in runs[1:]:
        if first.task["name"] != other.task["name"]:
            raise ConfigError(
                f"compare: run '{first.name}' is {first.task['name']} ({first.task['metric']}), "
                f"run '{other.name}' is {other.task['name']} ({other.task['metric']}); "
                "only runs of one task can be compared"
            )
        for key, words in (("input_shape", "samples of shape"), ("class_names", "answers")):
            mine, theirs = (run.metrics.get("data", {}).get(key) for run in (first, other))
            if mine is not None and theirs is not None and mine != theirs:
                raise ConfigError(
                    f"compare: run '{first.name}' has {words} {shorten(mine)}, run "
                    f"'{other.name}' {shorten(theirs)}; only runs on the same data can be compared"
                )


def shorten(values: Sequence[Any]) -> str:
    """A list for a message, not longer than a line allows."""
    text = ", ".join(map(str, values))
    return f"[{text if len(text) <= 40 else text[:39] + '…'}]"


def describe_one(letter: str, run: Run) -> dict[str, Any]:
    """What is told of a run as a whole."""
    record = run.record
    return {
        "letter": letter,
        "name": run.name,
        "seed": record["seed"],
        "updated": record["updated"],
        "command": f"slimline run {record['config_name']}",
        "stages": [entry["stage"] for entry in record["stages"]],
        "data_digest": run.metrics.get("data", {}).get("digest"),
        "cpu": record["host"].get("cpu"),
    }


def find_warnings(runs: Sequence[Run]) -> list[str]:
    """What makes figures of these runs hard to compare, in sentences."""
    found = []
    first = runs[0]
    for other in runs[1:]:
        pair = f"'{first.name}' and '{other.name}'"
        mine, theirs = (run.metrics.get("data", {}).get("digest") for run in (first, other))
        if mine != theirs:
            found.append(
                f"{pair} differ in their data (source, splits by another seed, or preprocessing): "
                "their test samples may not be the same, so their figures are not comparable"
            )
        if first.record["host"].get("cpu") != other.record["host"].get("cpu"):
            found.append(f"{pair} were measured on different processors: compare no latencies")
    for run in runs:
        if not run.metrics.get("evaluate"):
            found.append(f"'{run.name}' has no evaluated files: run its chain up to evaluate")
    return found


def find_differences(configs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The keys in which configurations differ, each with one value per run.

    A section of a stage is compared among the runs that have that stage; the others have None.
    """
    flat = [flatten(config) for config in configs]
    paths = list(dict.fromkeys(path for one in flat for path in one))
    rows = []
    for path in paths:
        section = path.split(".")[0]
        having = [has_section(config, section) for config in configs]
        values = [
            one.get(path) if present else None for one, present in zip(flat, having, strict=True)
        ]
        compared = [value for value, present in zip(values, having, strict=True) if present]
        if path not in UNTOLD and any(value != compared[0] for value in compared):
            rows.append({"path": path, "values": values})
    return rows


def has_section(config: Mapping[str, Any], section: str) -> bool:
    """Whether a section says anything about a run; tune trains by `train` too."""
    stages = set(config.get("stages", ()))
    if section == "train":
        return bool(stages & {"train", "tune"})
    return section not in STAGE_NAMES or section in stages


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Leaves of nested mappings by their dotted path; lists are leaves."""
    if not isinstance(value, Mapping) or not value:
        return {path: value} if path else {}
    leaves: dict[str, Any] = {}
    for key, inner in value.items():
        leaves |= flatten(inner, f"{path}.{key}" if path else str(key))
    return leaves


def list_files(one: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The evaluated files of a run, without the details that only its own report shows."""
    deploy = (metrics.get("export") or {}).get("deploy")
    files = (metrics.get("evaluate") or {}).get("files") or []
    return [
        {
            "letter": one["letter"],
            "run": one["name"],
            "deploy": row["file"] == deploy,
            **{key: value for key, value in row.items() if key != "details"},
        }
        for row in files
    ]


def gather_training(
    described: Sequence[Mapping[str, Any]], runs: Sequence[Run]
) -> list[dict[str, Any]]:
    """Trainings of one stage beside each other, in the order of the stages."""
    stages: dict[str, dict[str, Any]] = {}
    for one, run in zip(described, runs, strict=True):
        for training in build_training(run.metrics):
            entry = stages.setdefault(
                training["stage"],
                {"stage": training["stage"], "title": training["title"], "curves": []},
            )
            entry["curves"].append(
                {
                    "letter": one["letter"],
                    "run": one["name"],
                    "best_epoch": training["best_epoch"],
                    "history": training["history"],
                }
            )
    return list(stages.values())
