"""Progress on stderr: bars on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any


class TerminalProgress:
    """Notes as lines; bars (by rich) only where stderr is a terminal."""

    def __init__(self) -> None:
        self._bars: Any = None
        self._task: Any = None
        self._live: Any = None
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> TerminalProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def begin(self, label: str, total: int, unit: str) -> None:
        """Opens a bar; in a pipe it stays silent."""
        self.end()
        if not self._terminal:
            return
        from rich.console import Console
        from rich.live import Live
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bars = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]} {task.fields[figures]}"),
            TimeRemainingColumn(),
        )
        self._task = self._bars.add_task(label, total=total, unit=unit, figures="")
        self._live = Live(self._bars, console=Console(stderr=True), transient=True)
        self._live.start()

    def advance(self, amount: int = 1, **figures: float) -> None:
        """Moves the bar on, with figures beside it."""
        if self._bars is not None:
            text = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
            self._bars.update(self._task, advance=amount, figures=text)

    def end(self) -> None:
        """Closes the bar."""
        if self._live is not None:
            self._live.stop()
            self._live = self._bars = None

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> None:
        """Shows a table under the bar; in a pipe it stays silent."""
        if self._live is None:
            return
        from rich.console import Group
        from rich.progress import TimeRemainingColumn
        from rich.table import Table
        from rich.text import Text

        drawn = Table(box=None, pad_edge=False, padding=(0, 2), title=None)
        for column in columns:
            drawn.add_column(column, style="dim", header_style="dim", no_wrap=True)
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        lines = [drawn] if rows else []
        # The caption knows the time left better: trials of several workers end in bursts.
        self._bars.columns = [c for c in self._bars.columns if type(c) is not TimeRemainingColumn]
        self._live.update(Group(self._bars, *lines, Text(f"  {caption}", style="dim")))

    def note(self, text: str) -> None:
        """Prints a line, above the bar if there is one."""
        if self._live is not None:
            self._live.console.print(f"  {text}", markup=False, highlight=False)
        else:
            print(f"  {text}", file=sys.stderr, flush=True)
