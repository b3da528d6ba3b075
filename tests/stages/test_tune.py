"""The stage tune: what it hands to the search."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.progress import SilentProgress
from pipeline.stages import tune
from pipeline.tuning import search as search_module


class Stop(Exception):
    """The search was called: far enough."""


@pytest.mark.parametrize("drop", [0.0, 0.01])
def test_the_search_knows_the_model_before(
    drop: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drop of exactly 0 is a limit like any other."""
    handed: list[Any] = []

    def search(*arguments: Any) -> None:
        handed.append(arguments[-1])
        raise Stop

    validation = {"loss": 0.5, "accuracy": 0.9, "samples": 10}
    before = SimpleNamespace(
        metrics={"validation": validation}, digest="d", file=lambda name: tmp_path / name
    )
    context: Any = SimpleNamespace(
        seed=0, workers=1, work=tmp_path, progress=SilentProgress(), converter=None,
        inputs={"model": {"train": before}}, input=lambda role: before,
    )  # fmt: skip
    monkeypatch.setattr(tune, "load_splits", lambda *arguments: None)
    monkeypatch.setattr(search_module, "search", search)
    config = validate({"tune": {"constraints": {"max_accuracy_drop": drop}}})
    with pytest.raises(Stop):
        tune.run(config, context)
    assert handed == [{"digest": "d", **validation}]
