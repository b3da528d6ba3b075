"""The winner's full training, and when it replaces what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.data.prepared import PreparedData
from pipeline.errors import PromiseError
from pipeline.progress import SilentProgress
from pipeline.tflite.worker import ConversionWorker
from pipeline.training.evaluate import evaluate_model
from pipeline.tuning.objective import Limit, Rule
from pipeline.tuning.steps import Steps
from pipeline.tuning.task import TrialInputs
from pipeline.tuning.winner import Contender, Judge, overrides_of, retrain_winner
from tests.tuning.conftest import RATE, make_config


def test_the_winner_is_trained_in_full(data: PreparedData, tmp_path: Path) -> None:
    values = {RATE: 0.05, "model.units": [4]}
    inputs = TrialInputs(data, None, ConversionWorker)
    model, result = retrain_winner(
        make_config(), values, inputs, 0, tmp_path / "work", tmp_path / "output", SilentProgress()
    )
    assert result.epochs_run == 6
    assert result.history[-1]["learning_rate"] == pytest.approx(0.05)
    assert model.trainable_variables[0].shape == (6, 4)
    assert result.validation == evaluate_model(model, data.validation, data.task)
    assert (tmp_path / "output" / "history.csv").is_file()


def judge_of(rule: Rule, inputs: Any = None) -> Judge:
    steps = Steps(trains=True, prunes=False, quantizes=False, scheme=None)
    return Judge(make_config(), steps, rule, inputs, 0, Path(), SilentProgress())


def contender(loss: float, accuracy: float) -> Contender:
    return Contender({"loss": loss}, {"val_loss": loss, "val_accuracy": accuracy})


@pytest.mark.parametrize(
    ("objective", "before", "expected"),
    [
        ("val_loss", contender(0.6, 0.9), True),
        ("val_loss", contender(0.5, 0.1), False),
        ("val_accuracy", contender(0.1, 0.7), True),
        ("val_accuracy", contender(0.9, 0.8), False),
        ("val_accuracy", None, True),
    ],
)
def test_only_a_better_winner_replaces(
    objective: str, before: Contender | None, expected: bool
) -> None:
    assert judge_of(Rule(objective)).choose(contender(0.5, 0.8), before) is expected


def test_a_winner_within_the_limits_replaces_what_is_beyond_them() -> None:
    rule = Rule("val_loss", (Limit("val_accuracy", 0.75, upper=False),))
    assert judge_of(rule).choose(contender(0.5, 0.8), contender(0.1, 0.7))
    assert not judge_of(rule).choose(contender(0.1, 0.7), contender(0.5, 0.8))
    with pytest.raises(
        PromiseError, match=r"no longer keeps tune.constraints: val_accuracy is 0.7"
    ):
        judge_of(rule).choose(contender(0.1, 0.7), contender(0.5, 0.6))


def test_without_more_steps_a_contender_is_judged_by_its_training() -> None:
    class Inputs:
        base_model = Path("unread.keras")

    judge = judge_of(Rule("val_loss"), Inputs())
    before = judge.judge_before({"loss": 0.5, "accuracy": 0.75, "samples": 30})
    assert before is not None
    assert before.figures == {"val_loss": 0.5, "val_accuracy": 0.75}


def test_only_later_stages_get_overrides() -> None:
    values = {"model.units": [4], "prune.epochs": 2, "quantize.qat.epochs": 3, RATE: 0.1}
    assert overrides_of(values) == {"prune.epochs": 2, "quantize.qat.epochs": 3}
