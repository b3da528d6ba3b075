"""The rule by which trials are judged."""

from __future__ import annotations

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError
from pipeline.tuning.objective import Limit, Rule, check_constraints, not_finite, rule_of
from tests.tuning.conftest import make_config

SMALL = Limit("gzip_bytes", 1000, upper=True)
GOOD = Limit("val_accuracy", 0.8, upper=False)


def test_the_violation_is_the_sum_of_relative_excesses() -> None:
    rule = Rule("val_loss", (SMALL, GOOD))
    assert rule.violation({"gzip_bytes": 1000, "val_accuracy": 0.8}) == 0
    assert rule.violation({"gzip_bytes": 1500, "val_accuracy": 0.6}) == pytest.approx(0.5 + 0.25)
    assert rule.broken({"gzip_bytes": 1500, "val_accuracy": 0.9}) == (
        "gzip_bytes is 1500, expected gzip_bytes ≤ 1000"
    )


def test_what_keeps_the_limits_ranks_before_what_is_better() -> None:
    rule = Rule("val_accuracy", (SMALL,))
    trials = [
        {"gzip_bytes": 900, "val_accuracy": 0.7},
        {"gzip_bytes": 800, "val_accuracy": 0.8},
        {"gzip_bytes": 1100, "val_accuracy": 0.99},
        {"gzip_bytes": 2000, "val_accuracy": 0.999},
    ]
    order = sorted(range(4), key=lambda n: rule.rank(trials[n]))
    assert order == [1, 0, 2, 3]


def test_what_an_oracle_is_told_of_a_trial_beyond_a_limit_is_worse_than_all_before() -> None:
    down, up = Rule("val_loss", (SMALL,)), Rule("val_accuracy", (SMALL,))
    kept = {"gzip_bytes": 500, "val_loss": 0.25, "val_accuracy": 0.5}
    large = {"gzip_bytes": 1500, "val_loss": 0.1, "val_accuracy": 0.9}
    assert down.told_score(kept, 2.0) == 0.25
    assert down.told_score(large, 2.0) == 2.0 + 0.5 * 2.0
    assert up.told_score(large, 0.5) == 0.5 - 0.5 * 0.5
    assert down.told_score(large, None) == pytest.approx(0.1 + 0.05)


def test_constraints_become_limits() -> None:
    config = make_config(
        objective="gzip_bytes", constraints={"max_accuracy_drop": 0.01, "max_parameters": 9000}
    )
    assert rule_of(config, {"accuracy": 0.95}) == Rule(
        "gzip_bytes",
        (Limit("parameters", 9000, True), Limit("val_accuracy", pytest.approx(0.94), False)),
    )
    assert not rule_of(config).maximizes
    assert Rule("val_accuracy").maximizes
    assert not Rule("val_mae").maximizes


def test_a_constraint_on_another_task_s_figure_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"max_val_mse: data.task classification has val_acc"):
        check_constraints(validate({"tune": {"constraints": {"max_val_mse": 1.0}}}))


def test_a_drop_needs_a_model_to_drop_from() -> None:
    values = {"tune": {"constraints": {"max_accuracy_drop": 0.01}}}
    check_constraints(validate(values))
    with pytest.raises(ConfigError, match="no model comes before tune to drop from"):
        check_constraints(validate({**values, "stages": ["tune"]}))


def test_a_figure_that_is_not_finite_is_named() -> None:
    assert not_finite({"a": 1, "b": float("inf"), "c": float("nan")}) == "b"
    assert not_finite({"a": 1}) is None
