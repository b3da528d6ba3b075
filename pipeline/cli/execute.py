"""What the commands that run stages do: run, then show."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

from pipeline import api
from pipeline.artifacts.store import CorruptArtifactWarning, Store
from pipeline.cli.progress import TerminalProgress
from pipeline.config.load import apply_overrides, load_config
from pipeline.config.schema import Config
from pipeline.results import RunResult
from pipeline.runner import run_name


def run_and_show(
    config: Path,
    overrides: tuple[str, ...],
    name: str | None,
    artifacts: Path,
    first: str | None,
    last: str | None,
    force: tuple[str, ...],
    as_json: bool,
) -> None:
    """Runs the stages from `first` to `last` and prints the table and the paths."""
    with TerminalProgress() as progress:
        _show_warnings(progress)
        result = api.run(
            config,
            artifacts=artifacts,
            name=name,
            overrides=overrides,
            first=first,
            last=last,
            force=force,
            progress=progress,
        )
    if as_json:
        print(json.dumps(result.as_json(), allow_nan=False))
    else:
        print(_summary(result))


def show_plan(
    config: Path,
    overrides: tuple[str, ...],
    name: str | None,
    artifacts: Path,
    first: str | None,
    last: str | None,
    force: tuple[str, ...],
    as_json: bool,
) -> None:
    """Prints each stage, fresh or not, and why."""
    from dataclasses import asdict

    from pipeline.plan import make_plan
    from pipeline.reporting.tables import format_table

    checked = named_config(config, overrides, name)
    run = run_name(checked)
    plan = make_plan(checked, Store(artifacts), run, first, last, frozenset(force))
    if as_json:
        print(json.dumps({"run": run, "plan": [asdict(line) for line in plan]}))
    else:
        print(format_table(("stage", "state", "why"), [(p.stage, p.state, p.reason) for p in plan]))


def named_config(config: Path, overrides: tuple[str, ...], name: str | None) -> Config:
    """Reads a configuration and gives its run another name if asked."""
    checked = load_config(config, overrides)
    return checked if name is None else apply_overrides(checked, {"run.name": name})


def _show_warnings(progress: TerminalProgress) -> None:
    """Sends our own warnings to the notes; those of libraries stay off the screen."""

    def show(message: Any, category: type[Warning], *rest: Any, **named: Any) -> None:
        if issubclass(category, CorruptArtifactWarning):
            progress.note(f"warning: {message}")

    warnings.showwarning = show


def _summary(result: RunResult) -> str:
    """Returns the table, and where the report and the files to deploy are."""
    lines = [result.table()] if result.table() else []
    if result.report is not None:
        lines.append(f"report: {result.report}")
    if result.deploy is not None:
        folder = result.deploy.parent
        lines.append(f"deploy: {result.deploy}")
        lines.append(f"        with its sidecar, C source and run_model.py in {folder}/")
    if not lines:
        last = list(result.stages.values())[-1]
        lines.append(f"{last.stage}: {last.path}")
    return "\n".join(lines)
