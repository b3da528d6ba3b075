"""The search as a whole, mostly with trials that a formula scores."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.prepared import PreparedData, Split
from pipeline.errors import ArtifactError, ConfigError, TrainingError
from pipeline.progress import SilentProgress
from pipeline.tuning.result import SearchResult
from pipeline.tuning.task import TrialTask
from tests.tuning.conftest import RATE, FakeTrainer, make_config, search_with

ALGORITHMS: list[dict[str, Any]] = [
    {"algorithm": "random", "max_trials": 8},
    {"algorithm": "evolution", "max_trials": 12, "population_size": 4},
    {"algorithm": "bayesian", "max_trials": 7},
    {"algorithm": "hyperband", "epochs": 4, "factor": 2},
]


class Notes(SilentProgress):
    """Remembers the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def untimed(result: SearchResult) -> SearchResult:
    """The same without the seconds at which trials began."""
    trials = [{**trial, "started_seconds": None} for trial in result.trials]
    return dataclasses.replace(result, trials=trials)


@pytest.mark.parametrize("tune", ALGORITHMS, ids=lambda tune: tune["algorithm"])
def test_the_best_is_found_and_all_is_told(
    tune: dict[str, Any], data: PreparedData, tmp_path: Path
) -> None:
    trainer = FakeTrainer()
    result = search_with(trainer, make_config(**tune), data, 0, tmp_path)
    scores = [trial["score"] for trial in result.trials]
    assert result.score == min(scores)
    winner = next(t for t in result.trials if t["trial"] == result.best_trial)
    assert winner["hyperparameters"] == result.best
    assert set(winner) == {
        "trial", "hyperparameters", "score", "figures", "feasible", "epochs", "status", "seconds",
        "started_seconds", "error",
    }  # fmt: skip
    assert [t["trial"] for t in result.trials] == [f"{n:04d}" for n in range(len(scores))]
    assert [t["seconds"] for t in result.trials] == [0.5 * t["epochs"] for t in result.trials]
    task = next(task for task in trainer.tasks if task.trial == result.best_trial)
    assert task.config.train.optimizer.learning_rate == result.best[RATE]
    assert task.config.train.epochs == make_config(**tune).tune.epochs


@pytest.mark.parametrize(
    ("tune", "killed_in"),
    [
        (tune, n)
        for tune in ALGORITHMS
        for n in (0, 3, 6)
        if tune["algorithm"] != "bayesian" or n == 6
    ],
    ids=str,
)
def test_a_killed_search_goes_on_where_it_was(
    tune: dict[str, Any], killed_in: int, data: PreparedData, tmp_path: Path
) -> None:
    config, alone = make_config(**tune), FakeTrainer()
    expected = search_with(alone, config, data, 3, tmp_path / "alone")

    class Killed(BaseException):
        pass

    def kill(task: TrialTask) -> float:
        if task.trial == f"{killed_in:04d}":
            raise Killed
        return FakeTrainer()(task, None, lambda row: None)["val_loss"]

    first, second = FakeTrainer(kill), FakeTrainer()
    with pytest.raises(Killed):
        search_with(first, config, data, 3, tmp_path / "killed")
    result = search_with(second, config, data, 3, tmp_path / "killed")
    assert untimed(result) == untimed(expected)
    assert [task.trial for task in first.tasks] == [f"{n:04d}" for n in range(killed_in + 1)]
    assert second.tasks[0].trial == f"{killed_in:04d}"
    third = FakeTrainer()
    assert untimed(search_with(third, config, data, 3, tmp_path / "killed")) == untimed(expected)
    assert third.tasks == []


def test_another_space_is_another_search(data: PreparedData, tmp_path: Path) -> None:
    trainer = FakeTrainer()
    search_with(trainer, make_config(max_trials=2), data, 0, tmp_path)
    search_with(trainer, make_config(max_trials=3), data, 0, tmp_path)
    search_with(trainer, make_config(max_trials=2), data, 1, tmp_path)
    assert len(trainer.tasks) == 2 + 3 + 2
    search_with(trainer, make_config(max_trials=2), data, 0, tmp_path)
    assert len(trainer.tasks) == 7


@pytest.mark.parametrize(
    ("bad", "algorithm"),
    [
        *((bad, "random") for bad in (math.nan, math.inf, -math.inf)),
        (-math.inf, "hyperband"),
        (math.nan, "bayesian"),
    ],
)
def test_a_score_that_is_not_finite_never_wins(
    bad: float, algorithm: str, data: PreparedData, tmp_path: Path
) -> None:
    def score(task: TrialTask) -> float:
        return bad if task.trial in ("0000", "0002") else 5.0 - int(task.trial) / 10

    result = search_with(FakeTrainer(score), make_config(algorithm=algorithm), data, 0, tmp_path)
    assert result.best_trial not in ("0000", "0002")
    assert math.isfinite(result.score)
    assert result.trials[0]["status"] == "failed"
    assert result.trials[0]["score"] is None
    assert "expected a finite number" in result.trials[0]["error"]


def test_of_equals_the_first_wins(data: PreparedData, tmp_path: Path) -> None:
    trainer = FakeTrainer(lambda task: 1.0)
    for objective in ("val_loss", "val_accuracy"):
        config = make_config(objective=objective, max_trials=3)
        assert search_with(trainer, config, data, 0, tmp_path).best_trial == "0000"


def test_accuracy_is_better_when_higher(data: PreparedData, tmp_path: Path) -> None:
    config = make_config(objective="val_accuracy", max_trials=6)
    result = search_with(FakeTrainer(), config, data, 0, tmp_path)
    assert result.score == max(trial["score"] for trial in result.trials)


def test_a_failing_trial_is_told_and_the_search_goes_on(data: PreparedData, tmp_path: Path) -> None:
    def score(task: TrialTask) -> float:
        if task.trial == "0001":
            raise TrainingError("trial 0001: the loss is nan at step 3")
        return 1.0

    notes = Notes()
    config = make_config(max_trials=4)
    result = search_with(FakeTrainer(score), config, data, 0, tmp_path, notes)
    assert [t["status"] for t in result.trials] == ["ended", "failed", "ended", "ended"]
    assert result.trials[1]["error"] == "trial 0001: the loss is nan at step 3"
    assert notes.notes == ["trial 0001 failed: trial 0001: the loss is nan at step 3"]


@pytest.mark.parametrize("algorithm", ["random", "bayesian", "hyperband"])
def test_when_all_fail_the_first_cause_is_the_error(
    algorithm: str, data: PreparedData, tmp_path: Path
) -> None:
    def score(task: TrialTask) -> float:
        raise ConfigError(f"too small: {task.trial}")

    trainer = FakeTrainer(score)
    with pytest.raises(TrainingError, match=r"all \d+ trials failed, the first .* small: 0000"):
        search_with(trainer, make_config(algorithm=algorithm), data, 0, tmp_path)


def test_bugs_are_not_recorded_as_failures(data: PreparedData, tmp_path: Path) -> None:
    def score(task: TrialTask) -> float:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        search_with(FakeTrainer(score), make_config(), data, 0, tmp_path)


@pytest.mark.parametrize("algorithm", ["random", "bayesian"])
def test_a_small_space_is_used_up_cleanly(
    algorithm: str, data: PreparedData, tmp_path: Path
) -> None:
    space = {
        "train.batch_size": {"choice": [10, 20, 50]},
        "model.normalization": {"choice": ["batch", "none"]},
    }
    config = make_config(algorithm=algorithm, search_space=space, max_trials=30)
    trainer, notes = FakeTrainer(lambda task: float(task.trial)), Notes()
    result = search_with(trainer, config, data, 0, tmp_path, notes)
    tried = [
        (task.config.train.batch_size, task.config.model.normalization) for task in trainer.tasks
    ]
    assert len(tried) == len(set(tried)) <= 6
    assert len(tried) >= 5
    assert result.best_trial == "0000"
    assert notes.notes == [f"the search space is used up after {len(result.trials)} of 30 trials"]


def test_the_space_and_the_objective_are_checked_before_the_first_trial(
    data: PreparedData, tmp_path: Path
) -> None:
    trainer = FakeTrainer()
    config = make_config(search_space={"model.dropout": {"float": [0.0, 1.5]}})
    with pytest.raises(ConfigError, match=r"tune.search_space.model.dropout: 1.5 is not possible"):
        search_with(trainer, config, data, 0, tmp_path)
    train_only = PreparedData({"train": data.train}, data.task, (6,))
    with pytest.raises(ArtifactError, match="validation split was not loaded"):
        search_with(trainer, make_config(), train_only, 0, tmp_path)
    none = Split(data.train.x[:0], data.train.y[:0])
    empty = PreparedData({**data.splits, "validation": none}, data.task, (6,))
    with pytest.raises(ConfigError, match="needs validation samples"):
        search_with(trainer, make_config(), empty, 0, tmp_path)
    space = {"model.architecture": {"choice": ["mlp", "small_cnn"]}}
    with pytest.raises(ConfigError, match=r"search_space.model.architecture: .*small_cnn needs im"):
        search_with(trainer, make_config(search_space=space), data, 0, tmp_path)
    assert trainer.tasks == []


def test_the_search_ends_when_the_first_five_trials_fail_alike(
    data: PreparedData, tmp_path: Path
) -> None:
    def score(task: TrialTask) -> float:
        raise TrainingError(f"trial {task.trial}: no memory")

    trainer = FakeTrainer(score)
    config = make_config(max_trials=100)
    for attempt in (1, 2):
        with pytest.raises(TrainingError, match=r"first 5 trials failed alike, .*0000: no memory"):
            search_with(trainer, config, data, 0, tmp_path)
        assert len(trainer.tasks) == 5 * attempt, "the next call tries again"
    assert [path.name for path in tmp_path.glob("*/*.jsonl")] == ["failed.jsonl"]


def test_values_that_a_bayesian_search_would_now_draw_otherwise_are_kept(
    data: PreparedData, tmp_path: Path
) -> None:
    """As on another machine, where a Gaussian process differs in its last bits."""
    config = make_config(algorithm="bayesian", max_trials=7)
    expected = search_with(FakeTrainer(), config, data, 0, tmp_path)
    (path,) = tmp_path.glob("*/ledger.jsonl")
    value = repr(expected.trials[6]["hyperparameters"][RATE])
    assert path.read_text().count(value) == 1
    path.write_text(path.read_text().replace(value, "0.0125"))
    notes, trainer = Notes(), FakeTrainer()
    result = search_with(trainer, config, data, 0, tmp_path, notes)
    assert result.trials[6]["hyperparameters"][RATE] == 0.0125
    assert notes.notes == ["trial 0006: keras-tuner proposes other values now; kept"]
    assert trainer.tasks == []


def test_a_ledger_that_hyperband_cannot_follow_is_refused(
    data: PreparedData, tmp_path: Path
) -> None:
    config = make_config(algorithm="hyperband")
    expected = search_with(FakeTrainer(), config, data, 0, tmp_path)
    (path,) = tmp_path.glob("*/ledger.jsonl")
    value = repr(expected.trials[0]["hyperparameters"][RATE])
    path.write_text(path.read_text().replace(value, "0.0125"))
    with pytest.raises(ArtifactError, match=r"other values for trial 0000.*delete the folder"):
        search_with(FakeTrainer(), config, data, 0, tmp_path)
