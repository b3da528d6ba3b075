"""The Python side of `slimline run`."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.config.load import apply_overrides, load_config, parse_override, validate
from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.progress import Progress
from pipeline.results import RunResult
from pipeline.runner import run_chain

__all__ = ["load_config", "run"]


def run(
    config: str | Path | Mapping[str, Any] | Config,
    *,
    artifacts: str | Path = "artifacts",
    name: str | None = None,
    overrides: Iterable[str] = (),
    first: str | None = None,
    last: str | None = None,
    force: Iterable[str] = (),
    progress: Progress | None = None,
    workers: int = 1,
) -> RunResult:
    """Runs a configuration, as `slimline run` does.

    Args:
        config: a YAML file, the same as a dictionary, or a checked `Config`.
        artifacts: the artifacts folder.
        name: the run's name; default `run.name`, or the file's name.
        overrides: "path.to.key=value" each.
        first, last, force: as --from, --to and --force.
        progress: where bars and notes go; default nowhere.
        workers: processes that do the trials of `tune`, ≥ 1.

    Returns:
        The outcome of every stage; `result.table()`, `result.files`, `result.metrics`.

    Raises:
        SlimlineError: of the type that tells what failed (see pipeline/errors.py).
    """
    overrides = tuple(overrides)
    if isinstance(config, str | Path):
        checked = load_config(config, overrides)
    else:
        checked = config if isinstance(config, Config) else validate(config)
        checked = apply_overrides(checked, dict(parse_override(text) for text in overrides))
    if name is not None:
        checked = apply_overrides(checked, {"run.name": name})
    if workers < 1:
        raise ConfigError(f"workers: received {workers}, expected at least 1")
    words = _words(config, overrides, name, Path(artifacts))
    words += f" --workers {workers}" if workers > 1 else ""
    return run_chain(checked, Path(artifacts), progress, first, last, force, words, workers)


def _words(config: object, overrides: tuple[str, ...], name: str | None, artifacts: Path) -> str:
    """Returns what follows `slimline run` to make the same run, for hints and the report."""
    words = [str(config) if isinstance(config, str | Path) else "CONFIG"]
    for override in overrides:
        words += ["--set", override]
    words += [] if name is None else ["--name", name]
    words += [] if artifacts == Path("artifacts") else ["--artifacts", str(artifacts)]
    return shlex.join(words)
