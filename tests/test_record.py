"""run.json: what a run records of itself."""

from __future__ import annotations

import datetime
from pathlib import Path

from pipeline.config.load import validate
from pipeline.record import describe_run, utc_now
from pipeline.results import StageOutcome


def test_a_record_holds_the_whole_configuration_and_the_figures() -> None:
    figures = {"files": []}
    done = StageOutcome("evaluate", "k", "d", Path("x"), False, 1.5, figures, ())
    config = validate({"run": {"seed": 7}})
    record = describe_run(config, "mine", "c.yaml", {"evaluate": done}, {"keras": "3"})
    assert record["stages"] == [
        {"stage": "evaluate", "key": "k", "digest": "d", "seconds": 1.5, "cached": False}
    ]
    assert record["figures"] == figures
    assert (record["seed"], record["name"], record["config_name"]) == (7, "mine", "c.yaml")
    assert validate(record["config"]) == config
    assert describe_run(config, "mine", "c.yaml", {}, {})["figures"] is None


def test_times_are_utc() -> None:
    assert datetime.datetime.fromisoformat(utc_now()).utcoffset() == datetime.timedelta(0)
