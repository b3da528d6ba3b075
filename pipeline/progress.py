"""What long work tells the outside: a bar that advances, and notes. The command line draws it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Progress(Protocol):
    """Receives the progress of long work. At most one bar is open at a time."""

    def begin(self, label: str, total: int, unit: str) -> None:
        """Opens a bar of `total` units, e.g. begin("train", 30, "epochs")."""

    def advance(self, amount: int = 1, **figures: float) -> None:
        """Moves the open bar on and shows figures beside it, e.g. val_accuracy=0.97."""

    def end(self) -> None:
        """Closes the open bar; without one it does nothing."""

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> None:
        """Shows a small table under the open bar, in place of the one before."""

    def note(self, text: str) -> None:
        """Tells the user one line that matters (a warning, what was left alone)."""


class SilentProgress:
    """Progress that nobody watches: tests, notebooks, `--json`."""

    def begin(self, label: str, total: int, unit: str) -> None:
        """Ignores the bar."""

    def advance(self, amount: int = 1, **figures: float) -> None:
        """Ignores the step."""

    def end(self) -> None:
        """Ignores the end."""

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> None:
        """Ignores the table."""

    def note(self, text: str) -> None:
        """Ignores the note."""
