"""Failures become exit codes in one place."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Callable

import click
import pytest

from pipeline.cli import entry as cli
from pipeline.errors import PromiseError


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Runs main with a command that raises; returns the exit code."""
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)

    def run_with(error: BaseException | None, *words: str) -> int:
        @click.command()
        @click.option("--debug", is_flag=True)
        def fails(debug: bool) -> None:
            if error is not None:
                raise error

        monkeypatch.setattr(cli, "commands", fails)
        monkeypatch.setattr(sys, "argv", ["slimline", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(str(ended.value.code))

    return run_with


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (PromiseError("sparsity 0.4"), 9, "slimline: sparsity 0.4\n"),
        (click.UsageError("No such thing."), 2, "slimline: No such thing; see slimline --help\n"),
        (KeyboardInterrupt(), 130, "\nslimline: interrupted; the same command goes on"),
        (cli.Terminated(), 143, "slimline: terminated; the same command goes on"),
    ],
    ids=["promise", "usage", "interrupt", "terminate"],
)
def test_codes_and_lines(
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    line: str,
) -> None:
    assert run(error) == code
    assert capsys.readouterr().err.startswith(line)


def test_success_is_0(run: Callable[..., int]) -> None:
    assert run(None) == 0


def test_a_bug_keeps_its_traceback(run: Callable[..., int]) -> None:
    with pytest.raises(ZeroDivisionError):
        run(ZeroDivisionError())


def test_debug_adds_the_traceback(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(PromiseError("x"), "--debug") == 9
    assert "Traceback" in capsys.readouterr().err


def test_a_terminal_without_the_characters_gets_question_marks(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    assert run(None) == 0
    print("2.8×")
    narrow.flush()
    assert narrow.buffer.getvalue() == b"2.8?\n"
