"""The order of trainings, the choice of rates, resuming, and what is told of failures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.data.prepared import PreparedData
from pipeline.errors import TrainingError
from pipeline.optimizer_study import study
from pipeline.optimizer_study.settings import StudySettings, plan_study
from pipeline.optimizer_study.study import run_study, study_digest
from pipeline.optimizer_study.training import Training
from pipeline.progress import SilentProgress
from tests.optimizer_study.conftest import FakeTrainer, make_config

RATES = {"sgd": 0.1, "adam": 0.001}


def settings_of(**options: Any) -> StudySettings:
    options = {"seeds": 2, "learning_rates": RATES, **options}
    return plan_study(make_config(), options.pop("names", ("sgd", "adam")), **options)


@pytest.fixture
def compare(
    monkeypatch: pytest.MonkeyPatch, data: PreparedData, tmp_path: Path
) -> Callable[..., dict[str, Any]]:
    """Runs a comparison with a trainer that trains nothing."""

    def run(settings: StudySettings, trainer: FakeTrainer) -> dict[str, Any]:
        monkeypatch.setattr(study, "train_once", trainer)
        monkeypatch.setattr(study, "untrained_loss", lambda config, data, seed: 2.0)
        return run_study(settings, data, "abc", tmp_path, SilentProgress())

    return run


def by_rate(training: Training) -> float:
    return 0.1 if training.optimizer.name == "adam" else 0.2


def test_optimizers_take_turns_and_the_first_one_changes(
    compare: Callable[..., dict[str, Any]],
) -> None:
    trainer = FakeTrainer(by_rate)
    result = compare(settings_of(names=("sgd", "adam", "lion"), seeds=3), trainer)
    order = [(t.label, t.seed) for t in trainer.trainings]
    assert order == [
        ("sgd", 3), ("adam", 3), ("lion", 3),
        ("adam", 4), ("lion", 4), ("sgd", 4),
        ("lion", 5), ("sgd", 5), ("adam", 5),
    ]  # fmt: skip
    adam = result["optimizers"][1]
    assert adam["val_loss"]["values"] == [0.1, 0.1, 0.1]
    assert result["steps_per_epoch"] == 2
    # untrained 2.0, the best median's lowest 0.1: 2 − 0.9 · 1.9 = 0.29
    assert result["target"]["loss"] == pytest.approx(0.29)
    assert adam["target"]["epochs"]["mean"] == 4.0


def test_rates_are_searched_with_equal_budgets_and_a_seed_of_their_own(
    compare: Callable[..., dict[str, Any]],
) -> None:
    best = {"sgd": 1.0, "adam": 0.01}

    def loss(training: Training) -> float:
        rate = training.optimizer.learning_rate
        return 0.1 + abs(rate - best[training.optimizer.name])

    trainer = FakeTrainer(loss)
    settings = settings_of(learning_rates={}, trials=3, seeds=1)
    result = compare(settings, trainer)
    searched = [t for t in trainer.trainings if t.seed == settings.tuning_seed]
    assert [t.optimizer.learning_rate for t in searched] == [1e-4, 1e-4, 1e-2, 1e-2, 1.0, 1.0]
    assert [one["learning_rate"] for one in result["optimizers"]] == [1.0, 0.01]
    notes = " ".join(result["notes"])
    assert "sgd: its best learning rate, 1, lies at the edge" in notes
    assert "adam: its best" not in notes
    assert "one seed" in notes


def test_a_killed_comparison_goes_on_and_more_seeds_reuse_what_there_is(
    compare: Callable[..., dict[str, Any]],
) -> None:
    class Killed(BaseException):
        pass

    def die(training: Training) -> float:
        if (training.label, training.seed) == ("adam", 4):
            raise Killed
        return by_rate(training)

    with pytest.raises(Killed):
        compare(settings_of(), FakeTrainer(die))
    rest = FakeTrainer(by_rate)
    result = compare(settings_of(), rest)
    assert [(t.label, t.seed) for t in rest.trainings] == [("adam", 4), ("sgd", 4)]
    more = FakeTrainer(by_rate)
    wider = compare(settings_of(seeds=3), more)
    assert [t.seed for t in more.trainings] == [5, 5]
    assert wider["optimizers"][0]["trained"] == 3
    again = FakeTrainer(by_rate)
    assert compare(settings_of(), again) == result
    assert again.trainings == []


def test_a_training_that_fails_is_told_and_in_no_mean(
    compare: Callable[..., dict[str, Any]],
) -> None:
    def loss(training: Training) -> float:
        if training.label == "sgd" and training.seed == 4:
            raise TrainingError("sgd, seed 4: the loss is nan at step 7")
        return by_rate(training)

    result = compare(settings_of(), FakeTrainer(loss))
    sgd = result["optimizers"][0]
    assert sgd["trained"] == 1
    assert sgd["failed"] == [{"seed": 4, "error": "sgd, seed 4: the loss is nan at step 7"}]
    assert sgd["target"]["reached"] == 1
    assert any("sgd: 1 of 2 trainings failed" in note for note in result["notes"])


def test_an_optimizer_whose_candidates_all_fail_is_told_and_one_that_nothing_survives_ends(
    compare: Callable[..., dict[str, Any]],
) -> None:
    def only_adam(training: Training) -> float:
        if training.label == "sgd":
            raise TrainingError("the loss is nan")
        return by_rate(training)

    result = compare(settings_of(learning_rates={}, trials=2), FakeTrainer(only_adam))
    assert result["optimizers"][0]["learning_rate"] is None
    assert any("sgd: every candidate failed: the loss is nan" in note for note in result["notes"])

    def nothing(training: Training) -> float:
        raise TrainingError("the loss is inf")

    with pytest.raises(TrainingError, match="every training failed, the first with: the loss"):
        compare(
            settings_of(seeds=1, learning_rates={"sgd": 9.0, "adam": 9.0}), FakeTrainer(nothing)
        )


def test_the_digest_is_that_of_what_all_trainings_share() -> None:
    base = study_digest(settings_of(), "data")
    assert (
        study_digest(settings_of(seeds=7, names=("lion", "nadam"), learning_rates={}), "data")
        == base
    )
    assert study_digest(settings_of(epochs=9), "data") != base
    assert study_digest(settings_of(), "other data") != base


def test_the_bar_counts_every_epoch_once(
    compare: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch, data: PreparedData,
    tmp_path: Path,
) -> None:  # fmt: skip
    class Counting(SilentProgress):
        total = 0
        done = 0

        def begin(self, label: str, total: int, unit: str) -> None:
            self.total = total

        def advance(self, amount: int = 1, **figures: float) -> None:
            self.done += amount

    compare(settings_of(seeds=1), FakeTrainer(by_rate))
    counting = Counting()
    run_study(settings_of(trials=2, learning_rates={"sgd": 0.1}), data, "abc", tmp_path, counting)
    # adam: 2 candidates; both: 2 seeds; 4 epochs each
    assert counting.total == counting.done == 4 * (2 + 4)
