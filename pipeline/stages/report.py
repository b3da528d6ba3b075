"""report: one page and one JSON file that prove what was lost and won."""

from __future__ import annotations

import csv
from typing import Any

import yaml

import pipeline
from pipeline.artifacts.files import write_bytes_atomic, write_json_atomic
from pipeline.artifacts.fingerprint import stage_key
from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult

# The files whose kernels are drawn: what the chain started from, and what ships.
BASELINE = "float.tflite"


def check(config: Config) -> None:
    """Refuses, when planned, to log to MLflow where it is not installed."""
    from pipeline.reporting.mlflow_store import require_mlflow

    if config.report.mlflow is not None:
        require_mlflow(config.report.mlflow)


def run(config: Config, context: Context) -> StageResult:
    """Writes report.html and report.json from the results of all earlier stages."""
    from pipeline.reporting.html import render_report
    from pipeline.reporting.report_json import build_report

    report = build_report(_describe(config, context))
    write_json_atomic(context.output / "report.json", report)
    write_bytes_atomic(context.output / "report.html", render_report(report).encode())
    notes = () if config.report.mlflow is None else (_log(config, context, report),)
    return StageResult({"files": ["report.html", "report.json"]}, notes=notes)


def _log(config: Config, context: Context, report: dict[str, Any]) -> str:
    """Logs the run to MLflow: its figures, its page, and the files that ship."""
    from pipeline.reporting.mlflow_store import log_report

    assert config.report.mlflow is not None  # the caller asked
    files = sorted(context.output.iterdir())
    bundle = context.inputs["everything"].get("export")
    if bundle is not None:
        for file in bundle.metrics["files"]:
            path = bundle.file(file["file"])
            files += [path, path.with_suffix(".json")]
    return log_report(report, files, stage_key(context.made_of), config.report.mlflow)


def _describe(config: Config, context: Context) -> dict[str, Any]:
    """Gathers the run's record, the stages' figures and the schedules that really ran."""
    results = context.inputs["everything"]
    recorded = {entry["stage"]: entry for entry in context.run["stages"]}
    return {
        "name": config.report.title or context.run["name"],
        "seed": context.seed,
        "config": context.run["config"],
        "config_text": yaml.safe_dump(context.run["config"], sort_keys=False),
        "stages": [
            {**recorded[name], "metrics": result.metrics} for name, result in results.items()
        ],
        "versions": {"slimline": pipeline.__version__, **context.run["versions"]},
        "host": context.run["host"],
        "created": context.run["updated"],
        "commands": _commands(context),
        "schedules": {
            name: rows for name, result in results.items() if (rows := _schedule(result))
        },
        "kernels": _kernels(results.get("export")),
        "importance": _importance(config, context, results.get("tune")),
    }


def _schedule(result: Any) -> list[list[float]]:
    """Reads the schedule that a stage recorded while it ran; empty if it has none."""
    names = [name for name in result.manifest.files if name.endswith("schedule.csv")]
    if not names:
        return []
    with (result.path / names[0]).open(encoding="utf-8", newline="") as file:
        return [[float(cell) for cell in row] for row in list(csv.reader(file))[1:]]


def _kernels(bundle: Any) -> dict[str, list[dict[str, Any]]]:
    """Counts the values of the kernels of the float file and of the one that ships."""
    from pipeline.tflite.kernel_values import describe_kernels

    if bundle is None:
        return {}
    names = {file["file"]: file["name"] for file in bundle.metrics["files"]}
    wanted = dict.fromkeys((BASELINE, bundle.metrics["deploy"]))
    return {names[file]: describe_kernels(bundle.file(file)) for file in wanted if file in names}


def _importance(config: Config, context: Context, searched: Any) -> dict[str, Any] | None:
    """Measures what each setting of a search explains of its outcome."""
    from pipeline.reporting.importance import measure_importance

    if searched is None:
        return None
    space = context.run["config"]["tune"]["search_space"]
    logarithmic = {path for path, values in space.items() if values.get("sampling") == "log"}
    return measure_importance(searched.metrics["trials"], frozenset(logarithmic), context.seed)


def _commands(context: Context) -> list[str]:
    return [f"slimline run {context.run['config_name']}", f"slimline show {context.run['name']}"]
