"""Progress: bars on a terminal only."""

from __future__ import annotations

import io
import sys

import pytest

from pipeline.cli.progress import TerminalProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def use(progress: TerminalProgress) -> None:
    progress.note("data: started")
    progress.begin("train", 3, "epochs")
    progress.advance(2, val_accuracy=0.98765)
    progress.table(("trial", "state"), [("0007", "best [x]")], "3 of 9 done")
    progress.note("in between")
    progress.end()


def test_in_a_pipe_only_notes_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    with TerminalProgress() as progress:
        use(progress)
    assert pipe.getvalue() == "  data: started\n  in between\n"


def test_on_a_terminal_a_bar_shows_figures_and_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with TerminalProgress() as progress:
        use(progress)
        progress.begin("left open", 1, "files")
    shown = terminal.getvalue()
    assert "2/3" in shown
    assert "val_accuracy 0.9877" in shown
    assert "in between" in shown
    assert "0007" in shown and "best [x]" in shown and "3 of 9 done" in shown
    assert shown.endswith(("\x1b[2K", "\x1b[?25h")), "the bar is erased and the cursor shown"
