"""A chain of stages that only write files: to test planning and running without TensorFlow."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import plan as planning
from pipeline import runner, runtime
from pipeline.config.load import validate
from pipeline.config.schema import Config
from pipeline.results import RunResult
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.table import STAGES


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replaces the work of every stage by a file that tells its inputs; returns who ran."""
    ran: list[str] = []

    def fake(name: str) -> Callable[[Config, Context], StageResult]:
        def run(config: Config, context: Context) -> StageResult:
            ran.append(name)
            (context.work / "scratch").write_text("left over")
            told = {role: list(results) for role, results in context.inputs.items()}
            (context.output / "told.json").write_text(json.dumps(told))
            section = getattr(config, name, None) if name != "data" else config.data
            digest = str(
                hash(
                    (
                        name,
                        str(section),
                        tuple(
                            result.digest
                            for results in context.inputs.values()
                            for result in results.values()
                        ),
                    )
                )
            )
            figures = {"told": told, "call": len(ran), "files": [], "deploy": "told.json"}
            return StageResult(figures, digest)

        return run

    table = {
        name: dataclasses.replace(stage, run=fake(name), check=None)
        for name, stage in STAGES.items()
    }
    monkeypatch.setattr(planning, "STAGES", table)
    monkeypatch.setattr(runtime, "start_tensorflow", lambda seed: None)
    monkeypatch.setattr(runner._Runner, "_start_converter", lambda self: None)
    return ran


def config_with(**sections: Any) -> Config:
    return validate({"run": {"name": "mine"}, **sections})


def run(config: Config, tmp_path: Path, **options: Any) -> RunResult:
    return runner.run_chain(config, tmp_path / "artifacts", **options)


CHAIN = ["data", "train", "tune", "prune", "quantize", "export", "evaluate", "report"]
