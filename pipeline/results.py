"""What a run gives back: to the command line, to `--json` and to a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class StageOutcome:
    """One stage of a run.

    Attributes:
        path: its folder in `artifacts/<run>/`.
        cached: True if nothing had to be done.
        seconds: wall time it took when it was made.
    """

    stage: str
    key: str
    digest: str
    path: Path
    cached: bool
    seconds: float
    metrics: dict[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class RunResult:
    """A run's stages by name, in the order of the chain."""

    name: str
    folder: Path
    stages: dict[str, StageOutcome]

    @property
    def metrics(self) -> dict[str, Any]:
        """Figures of every stage by its name."""
        return {name: outcome.metrics for name, outcome in self.stages.items()}

    @property
    def files(self) -> dict[str, Path]:
        """The exported `.tflite` files by name; empty if `export` was not run."""
        outcome = self.stages.get("export")
        if outcome is None:
            return {}
        return {file["name"]: outcome.path / file["file"] for file in outcome.metrics["files"]}

    @property
    def deploy(self) -> Path | None:
        """The one file to put on the device."""
        outcome = self.stages.get("export")
        return None if outcome is None else outcome.path / outcome.metrics["deploy"]

    @property
    def report(self) -> Path | None:
        """The HTML report."""
        outcome = self.stages.get("report")
        return None if outcome is None else outcome.path / "report.html"

    def table(self) -> str:
        """Returns the table of the files, as `slimline run` prints it; "" before evaluate."""
        from pipeline.reporting.tables import evaluation_table

        outcome = self.stages.get("evaluate")
        return "" if outcome is None else evaluation_table(outcome.metrics)

    def as_json(self) -> dict[str, Any]:
        """Returns the result as JSON types: what `--json` prints."""
        return {
            "run": self.name,
            "folder": str(self.folder),
            "files": {name: str(path) for name, path in self.files.items()},
            "deploy": None if self.deploy is None else str(self.deploy),
            "report": None if self.report is None else str(self.report),
            "stages": [
                {
                    "stage": outcome.stage,
                    "key": outcome.key,
                    "digest": outcome.digest,
                    "cached": outcome.cached,
                    "seconds": outcome.seconds,
                    "metrics": outcome.metrics,
                    "notes": list(outcome.notes),
                }
                for outcome in self.stages.values()
            ],
        }

    def _repr_html_(self) -> str:
        """Shows the table in a notebook."""
        import html

        return f"<pre>{html.escape(self.table() or repr(self))}</pre>"
