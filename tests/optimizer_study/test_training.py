"""Real trainings of a comparison: figures, the bytes of state, resuming."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.load import as_plain_data, validate
from pipeline.config.optimizer import OptimizerConfig
from pipeline.data.prepared import PreparedData
from pipeline.errors import TrainingError
from pipeline.optimizer_study.training import Training, state_bytes, train_once, untrained_loss
from tests.optimizer_study.conftest import make_config

# 6 · 8 + 8 + 8 · 3 + 3 weights of 4 bytes
WEIGHTS = 83


@pytest.fixture(scope="module", autouse=True)
def tensorflow() -> None:
    from pipeline.runtime import start_tensorflow

    start_tensorflow(0)


def training(name: str, seed: int = 1, **values: object) -> Training:
    optimizer = OptimizerConfig.model_validate({"name": name, "learning_rate": 0.05, **values})
    return Training(name, optimizer, seed)


def test_figures_and_state_of_adam_killed_and_gone_on(data: PreparedData, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def die(row: dict[str, float]) -> None:
        if row["epoch"] == 2:
            raise Killed

    config, adam = make_config(), training("adam")
    with pytest.raises(Killed):
        train_once(config, adam, data, tmp_path / "killed", die)
    rows: list[float] = []
    outcome = train_once(
        config, adam, data, tmp_path / "killed", lambda row: rows.append(row["epoch"])
    )
    assert rows == [3, 4]
    alone = train_once(config, adam, data, tmp_path / "alone", lambda row: None)
    assert outcome["validation"] == alone["validation"]
    assert outcome["train"] == alone["train"]
    assert len(outcome["history"]) == 4
    assert outcome["parameters"] == WEIGHTS
    # Two moments for each weight, and the counters of the optimizer.
    assert 0 <= outcome["state_bytes"] - 2 * 4 * WEIGHTS <= 16
    assert 0 < outcome["step_seconds"] < 1
    assert outcome["validation"]["loss"] < untrained_loss(config, data, 1)


def test_sgd_keeps_next_to_nothing_and_diverging_is_an_error(
    data: PreparedData, tmp_path: Path
) -> None:
    config = make_config(epochs=1)
    outcome = train_once(config, training("sgd"), data, tmp_path / "sgd", lambda row: None)
    assert outcome["state_bytes"] <= 16
    assert outcome["step_seconds"] is None, "one epoch holds the tracing"
    # Each step multiplies the kernels by 1 − 2 · 100 · 10: they overflow in a few epochs.
    values = as_plain_data(make_config(epochs=30))
    values["model"]["l2"] = 10.0
    wild = training("sgd", learning_rate=100.0)
    with pytest.raises(TrainingError, match=r"sgd, seed 1: the (validation )?loss is"):
        train_once(validate(values), wild, data, tmp_path / "wild", lambda row: None)


def test_equal_trainings_have_equal_keys() -> None:
    assert training("adam").key == training("adam").key
    keys = {training("adam").key, training("adam", 2).key, training("adam", beta_1=0.8).key}
    assert len(keys) == 3


def test_without_a_checkpoint_nothing_can_be_said(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no checkpoint"):
        state_bytes(tmp_path)
