"""A search with two workers, to be killed: `python -m tests.tuning.killed_search FOLDER SECONDS`.

It proposes without keras-tuner, so that it starts in a moment; the loop, the ledger and the
workers are the real ones.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

from pipeline.progress import SilentProgress
from pipeline.tuning.ledger import Ledger
from pipeline.tuning.live import LiveView
from pipeline.tuning.loop import SearchLoop
from pipeline.tuning.objective import Rule
from pipeline.tuning.oracle import Proposal
from pipeline.tuning.pool import WorkerPool
from pipeline.tuning.proposals import Proposals
from tests.tuning.conftest import RATE, make_config
from tests.tuning.fake_trials import setup

TRIALS = 12


class Sequence:
    """Proposes the rates 0.001, 0.002, …; each knows how many scores it was told before."""

    total = TRIALS

    def __init__(self) -> None:
        self._next = 0
        self._told = 0

    def propose(self) -> Proposal | None:
        """Returns the next trial."""
        if self._next == TRIALS:
            return None
        number, self._next = self._next, self._next + 1
        values: dict[str, Any] = {RATE: (number + 1) / 1000, "model.dropout": self._told / 100}
        return Proposal(f"{number:04d}", values, 3, None, None)

    def tell_score(self, proposal: Proposal, score: float) -> None:
        """Counts."""
        self._told += 1

    def tell_failure(self, proposal: Proposal, error: str) -> None:
        """Counts."""
        self._told += 1


def run(folder: Path, seconds: float, workers: int = 2) -> Ledger:
    """Runs the whole search."""
    config = make_config(algorithm="bayesian", max_trials=TRIALS)
    ledger = Ledger(folder / "ledger.jsonl", "digest")
    rule = Rule("val_loss")
    pool = WorkerPool(workers, setup(folder / "log", seconds=seconds))
    proposals = Proposals(config.tune, ledger, Sequence(), rule, workers)  # type: ignore[arg-type]
    view = LiveView(SilentProgress(), rule, TRIALS, 3)
    with contextlib.closing(pool):
        SearchLoop(config, 0, folder, ledger, proposals, pool, view).run()
    return ledger


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(exist_ok=True)
    run(Path(sys.argv[1]), float(sys.argv[2]))
