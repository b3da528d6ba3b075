"""What the commands that run stages do: run, then show."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from pathlib import Path
from typing import Any

from pipeline import api
from pipeline.artifacts.store import CorruptArtifactWarning, Store
from pipeline.cli.options import RunOptions
from pipeline.cli.progress import TerminalProgress
from pipeline.config.load import apply_overrides, load_config
from pipeline.config.schema import Config
from pipeline.results import RunResult
from pipeline.runner import run_name


def run_and_show(
    options: RunOptions,
    first: str | None,
    last: str | None,
    force: tuple[str, ...],
    workers: int = 1,
) -> None:
    """Runs the stages from `first` to `last` and prints the table and the paths."""
    with TerminalProgress() as progress:
        show_warnings(progress)
        result = api.run(
            options.config,
            artifacts=options.artifacts,
            name=options.name,
            overrides=options.overrides,
            first=first,
            last=last,
            force=force,
            progress=progress,
            workers=workers,
        )
    print(_json(result.as_json()) if options.as_json else _summary(result))


def compress_and_show(as_json: bool, **asked: Any) -> None:
    """Compresses a model file and prints the table and the paths.

    Args:
        as_json: one object, with the recipe beside what a run gives.
        asked: what `recipe.compress.compress` takes.
    """
    from pipeline.recipe.compress import compress

    with TerminalProgress() as progress:
        show_warnings(progress)
        found = compress(**asked, progress=progress)
    if as_json:
        print(_json({**found.run.as_json(), "recipe": str(found.recipe)}))
    else:
        print(f"{_summary(found.run)}\nrecipe: {found.recipe}")


def show_plan(
    options: RunOptions, first: str | None, last: str | None, force: tuple[str, ...]
) -> None:
    """Prints each stage, fresh or not, and why."""
    from dataclasses import asdict

    from pipeline.plan import make_plan
    from pipeline.reporting.tables import format_table

    checked = named_config(options)
    run = run_name(checked)
    plan = make_plan(checked, Store(options.artifacts), run, first, last, frozenset(force))
    if options.as_json:
        print(_json({"run": run, "plan": [asdict(line) for line in plan]}))
    else:
        print(format_table(("stage", "state", "why"), [(p.stage, p.state, p.reason) for p in plan]))


def compare_and_show(
    options: RunOptions, page: Path | None, learning_rates: tuple[str, ...], **asked: Any
) -> None:
    """Compares optimizers and prints the table and where the page is.

    Args:
        asked: what `plan_study` takes beside the configuration and the learning rates.
    """
    from pipeline.optimizer_study.cells import terminal_table
    from pipeline.optimizer_study.compare import compare_optimizers
    from pipeline.optimizer_study.settings import parse_rates, plan_study

    config = named_config(options)
    settings = plan_study(config, learning_rates=parse_rates(learning_rates), **asked)
    with TerminalProgress() as progress:
        show_warnings(progress)
        compared = compare_optimizers(
            config, settings, options.artifacts, progress, page, _typed_command()
        )
    if options.as_json:
        print(_json(compared.result))
    else:
        print(f"{terminal_table(compared.result)}\npage: {compared.page}")


def _typed_command() -> str:
    """Returns the command as it was typed, to make the page again."""
    return shlex.join(["slimline", *sys.argv[1:]])


def _json(value: Any) -> str:
    return json.dumps(value, allow_nan=False)


def named_config(options: RunOptions) -> Config:
    """Reads a configuration and gives its run another name if asked."""
    checked = load_config(options.config, options.overrides)
    if options.name is None:
        return checked
    return apply_overrides(checked, {"run.name": options.name})


def show_warnings(progress: TerminalProgress) -> None:
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
