"""A run's result as an object."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.results import RunResult, StageOutcome
from tests.reporting.sample_run import make_run


def result(*names: str) -> RunResult:
    metrics = {entry["stage"]: entry["metrics"] for entry in make_run()["stages"]}
    stages = {
        name: StageOutcome(
            name, "k", "d", Path("artifacts/mine") / name, True, 1.0, metrics.get(name, {}), ()
        )
        for name in names
    }
    return RunResult("mine", Path("artifacts/mine"), stages)


def test_files_and_table_of_a_whole_run() -> None:
    whole = result("export", "evaluate", "report")
    assert whole.files["int8"] == Path("artifacts/mine/export/int8.tflite")
    assert whole.deploy == Path("artifacts/mine/export/int8.tflite")
    assert whole.report == Path("artifacts/mine/report/report.html")
    assert "int8" in whole.table()
    assert "<pre>" in whole._repr_html_()
    assert json.loads(json.dumps(whole.as_json()))["deploy"].endswith("int8.tflite")


def test_a_run_that_stopped_early_has_none_of_them() -> None:
    early = result("train")
    assert (early.files, early.deploy, early.report, early.table()) == ({}, None, None, "")
