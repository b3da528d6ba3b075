"""The runner on a chain of stages that only write files: caching, locks, order, record."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from pipeline import plan as planning
from pipeline.artifacts.locks import hold_lock
from pipeline.artifacts.store import CorruptArtifactWarning, Store
from pipeline.config.load import validate
from pipeline.config.schema import Config
from pipeline.errors import ArtifactError, BusyError, ConfigError, TrainingError
from pipeline.plan import make_plan
from pipeline.stages.contract import Context, StageResult
from tests.fake_chain import CHAIN, config_with, run


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
    assert told["train"]["told"] == {"data": ["data"], "model": []}
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


def test_what_a_failed_stage_leaves_is_no_result_and_goes_with_the_next_run(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[Path] = []

    def keep_and_break(config: Config, context: Context) -> StageResult:
        assert not context.failed.exists()
        context.failed.mkdir(parents=True)
        (context.failed / "best.tflite").write_text("best")
        left.append(context.failed)
        raise TrainingError("no promise was kept")

    working = planning.STAGES["prune"]
    broken = dataclasses.replace(working, run=keep_and_break)
    monkeypatch.setitem(planning.STAGES, "prune", broken)
    for _ in range(2):
        with pytest.raises(TrainingError):
            run(config_with(), tmp_path)
        assert left[-1] == tmp_path / "artifacts" / "mine" / "failed" / "prune"
        assert (left[-1] / "best.tflite").is_file()
    monkeypatch.setitem(planning.STAGES, "prune", working)
    run(config_with(), tmp_path)
    assert not left[-1].exists()


def test_a_second_run_of_the_same_name_is_refused(calls: list[str], tmp_path: Path) -> None:
    lock = tmp_path / "artifacts" / "mine" / ".lock"
    with hold_lock(lock, "held"), pytest.raises(BusyError, match="run 'mine' is being made"):
        run(config_with(), tmp_path)


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


def test_what_a_stage_decides_for_the_later_ones_is_their_configuration(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As tune does with the sparsity that it has found: keys, stages and plan all heed it."""
    found = {"prune.pruning_schedule.final_sparsity": 0.5, "prune.epochs": 3}
    table, seen = planning.STAGES, {}

    def decide(config: Config, context: Context) -> StageResult:
        result = table["tune"].run(config, context)
        return dataclasses.replace(result, metrics={**result.metrics, "overrides": found})

    def remember(config: Config, context: Context) -> StageResult:
        seen["prune"] = config.prune
        return table["prune"].run(config, context)

    changed = {
        "tune": dataclasses.replace(table["tune"], run=decide),
        "prune": dataclasses.replace(table["prune"], run=remember),
    }
    monkeypatch.setattr(planning, "STAGES", {**table, **changed})
    result = run(config_with(), tmp_path)
    assert (seen["prune"].pruning_schedule.final_sparsity, seen["prune"].epochs) == (0.5, 3)
    store = Store(tmp_path / "artifacts")
    manifest = json.loads((result.stages["prune"].path / "manifest.json").read_text())
    assert manifest["made_of"]["config"]["prune"]["epochs"] == 3
    assert {line.state for line in make_plan(config_with(), store, "mine")} == {"cached"}
    calls.clear()
    run(config_with(prune={"epochs": 7}), tmp_path)
    assert calls == [], "the found value stands above the given one"
    found["prune.epochs"] = 4
    lines = {p.stage: p for p in make_plan(config_with(), store, "mine", force=frozenset({"tune"}))}
    assert (lines["tune"].state, lines["prune"].state) == ("run", "waits")
    run(config_with(), tmp_path, force=["tune"])
    assert seen["prune"].epochs == 4


def test_stages_are_told_how_many_workers_there_are(
    calls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, seen = planning.STAGES, []

    def remember(config: Config, context: Context) -> StageResult:
        seen.append(context.workers)
        return table["tune"].run(config, context)

    changed = {"tune": dataclasses.replace(table["tune"], run=remember)}
    monkeypatch.setattr(planning, "STAGES", {**table, **changed})
    run(config_with(), tmp_path, workers=3, last="tune")
    run(config_with(), tmp_path, last="tune")
    assert seen == [3], "the number of workers is no part of the key"


def test_a_search_that_prunes_depends_on_the_section_prune(
    calls: list[str], tmp_path: Path
) -> None:
    space = {"prune.pruning_schedule.final_sparsity": {"float": [0.5, 0.9]}}
    run(config_with(tune={"search_space": space}), tmp_path)
    calls.clear()
    run(config_with(tune={"search_space": space}, prune={"epochs": 3}), tmp_path)
    assert "tune" in calls
