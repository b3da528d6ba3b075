"""Hyperparameters in a configuration, also those that switch a kind."""

from __future__ import annotations

import pytest

from pipeline.config.load import apply_overrides, validate
from pipeline.config.substitution import is_switch, substitute
from pipeline.errors import ConfigError


def test_plain_values_are_set_as_overrides_are() -> None:
    config = validate({"model": {"architecture": "mlp", "units": [8]}})
    values = {"model.units": [4, 4], "train.optimizer.learning_rate": 0.5, "model.dropout": 0.25}
    assert substitute(config, values) == apply_overrides(config, values)


def test_another_architecture_starts_from_its_own_defaults() -> None:
    config = validate({"model": {"architecture": "mlp", "units": [8], "dropout": 0.5}})
    switched = substitute(config, {"model.filters": [4], "model.architecture": "small_cnn"})
    expected = validate({"model": {"architecture": "small_cnn", "filters": [4]}})
    assert switched.model == expected.model
    assert substitute(config, {"model.architecture": "mlp"}) == config


def test_another_optimizer_keeps_the_rate_and_drops_the_arguments() -> None:
    config = validate(
        {"train": {"optimizer": {"name": "sgd", "momentum": 0.9, "learning_rate": 0.5}}}
    )
    adam = substitute(config, {"train.optimizer.name": "adam"}).train.optimizer
    assert (adam.name, adam.learning_rate, adam.arguments) == ("adam", 0.5, {})
    sgd = substitute(config, {"train.optimizer.name": "sgd", "train.optimizer.momentum": 0.25})
    assert sgd.train.optimizer.arguments == {"momentum": 0.25}


def test_another_schedule_starts_from_its_own_defaults() -> None:
    config = validate({"train": {"schedule": {"kind": "exponential", "decay_rate": 0.5}}})
    switched = substitute(config, {"train.schedule.kind": "cosine"})
    assert (
        switched.train.schedule
        == validate({"train": {"schedule": {"kind": "cosine"}}}).train.schedule
    )


def test_settings_of_qat_that_were_left_to_their_defaults() -> None:
    config = validate({"quantize": {"method": "qat"}})
    assert config.quantize.qat is None
    changed = substitute(config, {"quantize.qat.epochs": 3}).quantize.qat
    assert changed is not None
    assert changed.epochs == 3
    assert changed.optimizer == config.quantize.fine_tuning.optimizer


def test_a_path_through_a_value_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'train.early_stopping' is None in the configuration"):
        substitute(validate({}), {"train.early_stopping.patience": 3})


def test_switches() -> None:
    for path in ("model.architecture", "train.schedule.kind", "prune.pruning_schedule.kind",
                 "quantize.qat.optimizer.name"):  # fmt: skip
        assert is_switch(path)
    for path in ("model.units", "train.optimizer.learning_rate", "run.name"):
        assert not is_switch(path)
