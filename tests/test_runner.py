"""The runner on a chain of stages that only write files: caching, locks, order, record."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline import plan as planning
from pipeline import runner, runtime
from pipeline.artifacts.locks import hold_lock
from pipeline.artifacts.store import CorruptArtifactWarning, Store
from pipeline.config.load import validate
from pipeline.config.schema import Config
from pipeline.errors import ArtifactError, BusyError, ConfigError, TrainingError
from pipeline.plan import make_plan
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


def test_a_chain_runs_once_and_is_then_cached(calls: list[str], tmp_path: Path) -> None:
    result = run(config_with(), tmp_path)
    assert calls == CHAIN
    assert list(result.stages) == CHAIN
    assert not any(outcome.cached for outcome in result.stages.values())
    calls.clear()
    again = run(config_with(), tmp_path)
    assert calls == []
    assert all(outcome.cached for outcome in again.stages.values())
    assert [o.key for o in again.stages.values()] == [o.key for o in result.stages.values()]


def test_stages_get_what_they_declare(calls: list[str], tmp_path: Path) -> None:
    told = run(config_with(), tmp_path).metrics
    assert told["train"]["told"] == {"data": ["data"]}
    assert told["prune"]["told"] == {"data": ["data"], "model": ["tune"]}
    assert told["quantize"]["told"]["model"] == ["prune"]
    assert told["export"]["told"]["baselines"] == ["float", "pruned"]
    assert told["evaluate"]["told"] == {"data": ["data"], "bundle": ["export"]}
    assert told["report"]["told"] == {"everything": CHAIN[:-1]}


def test_a_change_reruns_the_stage_and_what_follows(calls: list[str], tmp_path: Path) -> None:
    run(config_with(), tmp_path)
    calls.clear()
    run(config_with(quantize={"schemes": ["float16"]}), tmp_path)
    assert calls == ["quantize", "export", "evaluate", "report"]
    calls.clear()
    run(config_with(), tmp_path)
    assert calls == [], "the older results are still in the store"


def test_another_run_shares_the_store(calls: list[str], tmp_path: Path) -> None:
    run(config_with(), tmp_path)
    calls.clear()
    run(validate({"run": {"name": "other"}}), tmp_path)
    assert calls == ["report"], "only the report shows the run's name"


def test_force_runs_a_fresh_stage_again(calls: list[str], tmp_path: Path) -> None:
    run(config_with(), tmp_path)
    calls.clear()
    run(config_with(), tmp_path, force=["prune"])
    assert calls == ["prune", "report"], "the same digest again; only the report shows timings"


def test_to_and_from(calls: list[str], tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"make it with: slimline run c\.yaml --to train"):
        run(config_with(), tmp_path, first="prune", config_name="c.yaml")
    run(config_with(), tmp_path, last="tune")
    assert calls == ["data", "train", "tune"]
    calls.clear()
    run(config_with(), tmp_path, first="prune", last="prune")
    assert calls == ["prune"]
    with pytest.raises(ConfigError, match="--from prune comes after --to train"):
        run(config_with(), tmp_path, first="prune", last="train")
    with pytest.raises(ConfigError, match="stage 'cluster' is not in this chain"):
        run(config_with(), tmp_path, last="cluster")


def test_a_corrupt_result_is_made_again(calls: list[str], tmp_path: Path) -> None:
    result = run(config_with(), tmp_path)
    (result.stages["prune"].path / "told.json").write_text("broken")
    calls.clear()
    with pytest.warns(CorruptArtifactWarning):
        run(config_with(), tmp_path)
    assert calls == ["prune", "report"]


def test_a_failed_stage_is_not_cached_and_keeps_its_work(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(config: Config, context: Context) -> StageResult:
        (context.work / "checkpoint").write_text("epoch 3")
        raise TrainingError("loss is nan")

    table = planning.STAGES
    broken = {**table, "prune": dataclasses.replace(table["prune"], run=fail)}
    monkeypatch.setattr(planning, "STAGES", broken)
    with pytest.raises(TrainingError):
        run(config_with(), tmp_path)
    store = Store(tmp_path / "artifacts")
    assert [p.name for p in store.work_folder.glob("*/checkpoint")] == ["checkpoint"]
    states = {line.stage: line.state for line in make_plan(config_with(), store, "mine")}
    assert states["tune"] == "cached"
    assert states["prune"] == "run"
    monkeypatch.setattr(planning, "STAGES", table)
    run(config_with(), tmp_path)
    assert not list(store.work_folder.iterdir())


def test_a_second_run_of_the_same_name_is_refused(calls: list[str], tmp_path: Path) -> None:
    lock = tmp_path / "artifacts" / "mine" / ".lock"
    with hold_lock(lock, "held"), pytest.raises(BusyError, match="run 'mine' is being made"):
        run(config_with(), tmp_path)


def test_the_plan_says_why(calls: list[str], tmp_path: Path) -> None:
    store = Store(tmp_path / "artifacts")
    fresh = make_plan(config_with(), store, "mine")
    assert [(p.state, p.reason) for p in fresh[:2]] == [
        ("run", "not made yet"),
        ("waits", "its input data will be made"),
    ]
    run(config_with(), tmp_path)
    changed = config_with(prune={"epochs": 4})
    lines = {p.stage: p for p in make_plan(changed, store, "mine")}
    assert lines["tune"].state == "cached"
    assert (lines["prune"].state, lines["prune"].reason) == ("run", "prune.epochs changed")
    assert lines["quantize"].state == "waits"
    forced = make_plan(config_with(), store, "mine", force=frozenset({"train"}))
    assert (forced[1].state, forced[1].reason) == ("run", "forced")
    assert calls == CHAIN, "planning runs nothing"


def test_the_plan_of_a_part(calls: list[str], tmp_path: Path) -> None:
    store = Store(tmp_path / "artifacts")
    run(config_with(), tmp_path, last="train")
    part = make_plan(config_with(), store, "mine", first="prune", last="quantize")
    assert [(p.stage, p.state) for p in part] == [
        ("data", "cached"),
        ("train", "cached"),
        ("tune", "missing"),
        ("prune", "waits"),
        ("quantize", "waits"),
    ]
    with pytest.raises(ConfigError, match="stage 'cluster' is not in this chain"):
        make_plan(config_with(), store, "mine", force=frozenset({"cluster"}))


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (["prune"], "'prune' needs a model, and no stage before it makes one; put train or tune"),
        (["train", "evaluate"], "'evaluate' needs a bundle, .* put export before it"),
        (["quantize", "train"], "'quantize' needs a model"),
    ],
)
def test_a_chain_that_lacks_something_is_refused(stages: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        planning.chain_of(config_with(stages=stages))


def test_the_record(calls: list[str], tmp_path: Path) -> None:
    result = run(config_with(), tmp_path)
    record = json.loads((result.folder / "run.json").read_text())
    assert [stage["stage"] for stage in record["stages"]] == CHAIN
    assert record["config"]["run"]["name"] == "mine"
    assert record["versions"]["keras"]
    shown = json.loads(json.dumps(result.as_json()))
    assert (shown["run"], shown["files"]) == ("mine", {})
    assert shown["deploy"] == str(tmp_path / "artifacts" / "mine" / "export" / "told.json")


def test_a_run_needs_a_name_that_is_free(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a configuration without a file needs a name"):
        run(validate({}), tmp_path)
    with pytest.raises(ConfigError, match="'store' is taken"):
        run(validate({"run": {"name": "store"}}), tmp_path)
