"""report: one page and one JSON file that prove what was lost and won."""

from __future__ import annotations

import csv
from typing import Any

import yaml

from pipeline.artifacts.files import write_bytes_atomic, write_json_atomic
from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult


def run(config: Config, context: Context) -> StageResult:
    """Writes report.html and report.json from the manifests of all earlier stages."""
    from pipeline.reporting.html import render_report
    from pipeline.reporting.report_json import build_report

    report = build_report(_describe(config, context))
    write_json_atomic(context.output / "report.json", report)
    write_bytes_atomic(context.output / "report.html", render_report(report).encode())
    return StageResult({"files": ["report.html", "report.json"]})


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
        "versions": context.run["versions"],
        "host": context.run["host"],
        "created": context.run["updated"],
        "commands": _commands(context),
        "schedules": {
            name: rows for name, result in results.items() if (rows := _schedule(result))
        },
    }


def _schedule(result: Any) -> list[list[float]]:
    """Reads the schedule that a stage recorded while it ran; empty if it has none."""
    names = [name for name in result.manifest.files if name.endswith("schedule.csv")]
    if not names:
        return []
    with (result.path / names[0]).open(encoding="utf-8", newline="") as file:
        return [[float(cell) for cell in row] for row in list(csv.reader(file))[1:]]


def _commands(context: Context) -> list[str]:
    return [f"slimline run {context.run['config_name']}", f"slimline show {context.run['name']}"]
