"""Options that several commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pipeline.errors import ConfigError

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

config_argument: Decorator = click.argument("config", type=click.Path(path_type=Path))
artifacts_option: Decorator = click.option(
    "--artifacts",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("artifacts"),
    show_default=True,
    help="Folder of all results.",
)
json_option: Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, to stdout."
)
debug_option: Decorator = click.option(
    "--debug", is_flag=True, help="Show the traceback of an expected failure too."
)
set_option: Decorator = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH.TO.KEY=VALUE",
    help="Override a field of the configuration; repeatable.",
)
name_option: Decorator = click.option(
    "--name", help="Name of the run.  [default: the configuration's file name]"
)
force_option: Decorator = click.option(
    "--force",
    multiple=True,
    metavar="STAGE",
    help="Run this stage even if it is fresh; repeatable.",
)
workers_option: Decorator = click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes that do the trials of tune side by side.",
)


def check_place(context: click.Context, option: click.Parameter, file: Path | None) -> Path | None:
    """Refuses, before any work is done, a file to write whose folder cannot be one."""
    if file is not None:
        nearest = next(folder for folder in file.absolute().parents if folder.exists())
        if not nearest.is_dir():
            raise ConfigError(
                f"{option.opts[0]} {file}: {nearest} is no folder; give the name of a file in one"
            )
    return file


@dataclass(frozen=True)
class RunOptions:
    """What is given to every command that works on a configuration."""

    config: Path
    overrides: tuple[str, ...]
    name: str | None
    artifacts: Path
    as_json: bool


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of everything that works on a configuration, handed over as one argument."""

    @functools.wraps(function)
    def command(
        config: Path,
        overrides: tuple[str, ...],
        name: str | None,
        artifacts: Path,
        as_json: bool,
        debug: bool,  # read by main, which shows the traceback
        **own: Any,
    ) -> Any:
        return function(RunOptions(config, overrides, name, artifacts, as_json), **own)

    bound: Callable[..., Any] = command
    for option in reversed(
        (config_argument, set_option, name_option, artifacts_option, json_option, debug_option)
    ):
        bound = option(bound)
    return bound
