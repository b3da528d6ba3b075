"""The group of commands, and the one place that turns failures into exit codes."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Any

import click

import pipeline
from pipeline.cli.check import check
from pipeline.cli.compare import compare
from pipeline.cli.compress import compress
from pipeline.cli.describe import options
from pipeline.cli.inspect import clean, show, status
from pipeline.cli.optimizers import optimizers
from pipeline.cli.predict import predict
from pipeline.cli.run import run, stage_commands
from pipeline.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, SlimlineError


def _show_version(context: click.Context, option: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo(f"slimline {pipeline.__version__}")
        context.exit()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def commands() -> None:
    """Make a Keras model small: train, tune, prune, quantize and export it to TFLite.

    Start with:  slimline run configs/digits.yaml
    """


for command in (
    compress, check, run, *stage_commands(), optimizers, predict, options, status, show, compare,
    clean,
):  # fmt: skip
    commands.add_command(command)


class Terminated(BaseException):
    """SIGTERM: unwinds like Ctrl-C, so that locks and child processes go."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def main() -> None:
    """Runs the command line and exits with the code that errors.py documents."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no “×” gets a “?” instead of a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    debug = "--debug" in sys.argv
    try:
        code = commands.main(prog_name="slimline", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        _fail("interrupted; the same command goes on where it was", EXIT_INTERRUPTED)
    except click.ClickException as error:
        _show_usage_error(error)
    except SlimlineError as error:
        if debug:
            traceback.print_exc()
        _fail(str(error), error.exit_code)
    except Terminated:
        _fail("terminated; the same command goes on where it was", EXIT_TERMINATED)
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _show_usage_error(error: click.ClickException) -> Any:
    where = getattr(error, "ctx", None)
    hint = f"; see {where.command_path} --help" if where is not None else ""
    _fail(error.format_message().rstrip(".").replace("\n", " ") + hint, 2)


def _fail(message: str, code: int) -> Any:
    print(f"slimline: {message}", file=sys.stderr)
    sys.exit(code)
