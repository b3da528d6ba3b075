"""Every kind as a table: by hand, against Keras's own schedules, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.schedule import ScheduleConfig
from pipeline.errors import ConfigError
from pipeline.tasks.task import classification
from pipeline.training.learner import Learner
from pipeline.training.loop import EpochRunner, training_function
from pipeline.training.optimizers import build_optimizer
from pipeline.training.schedules import FACTORS, learning_rates

RATE = 0.8
EXAMPLES: dict[str, dict[str, Any]] = {
    "constant": {},
    "step": {"drop": 0.5, "every": "25%"},
    "piecewise": {"boundaries": ["50%", "3 epochs"], "factors": [1, 0.1, 0.01]},
    "exponential": {"decay_rate": 0.5},
    "inverse_time": {"decay_rate": 1.0},
    "polynomial": {"power": 2.0},
    "cosine": {},
    "cosine_restarts": {"first_decay_steps": 3},
    "one_cycle": {},
    "hold_then_decay": {"hold": "2 epochs"},
    "reduce_on_plateau": {},
}


def make(kind: str, **fields: Any) -> ScheduleConfig:
    return TypeAdapter(ScheduleConfig).validate_python({"kind": kind, **fields})


def rates(schedule: ScheduleConfig, steps_per_epoch: int = 4, epochs: int = 2) -> list[float]:
    table = learning_rates(schedule, RATE, steps_per_epoch, epochs)
    assert table.dtype == np.float32
    assert table.shape == (steps_per_epoch * epochs,)
    return [round(float(rate), 6) for rate in table]


def test_the_table_has_every_kind() -> None:
    union = get_args(get_args(ScheduleConfig)[0])
    kinds = [get_args(section.model_fields["kind"].annotation)[0] for section in union]
    assert kinds == list(FACTORS) == list(EXAMPLES)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_warm_up_rises_to_where_the_kind_begins(kind: str) -> None:
    plain = learning_rates(make(kind, **EXAMPLES[kind]), RATE, 5, 4)
    assert np.all(plain >= 0) and np.all(np.isfinite(plain))
    warm = learning_rates(make(kind, **EXAMPLES[kind], warmup=4), RATE, 5, 4)
    np.testing.assert_allclose(warm[:4], plain[0] * np.arange(4) / 4, rtol=1e-6)
    assert warm[4] == plain[0]
    half = make(kind, **EXAMPLES[kind], warmup=4, warmup_start_fraction=0.5)
    half_table = learning_rates(half, RATE, 5, 4)
    np.testing.assert_allclose(half_table[:4], plain[0] * (0.5 + np.arange(4) / 8), rtol=1e-6)
    np.testing.assert_array_equal(half_table[4:], warm[4:])


def test_constant_is_the_base_rate() -> None:
    assert rates(make("constant")) == [0.8] * 8


def test_warmup_rises_linearly_from_zero() -> None:
    assert rates(make("constant", warmup="1 epoch")) == [0.0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8]


def test_exponential_is_smooth() -> None:
    schedule = make("exponential", decay_rate=0.25, decay_steps="1 epoch")
    assert rates(schedule) == [0.8, 0.565685, 0.4, 0.282843, 0.2, 0.141421, 0.1, 0.070711]


def test_exponential_staircase_falls_at_the_end_of_a_period() -> None:
    schedule = make("exponential", decay_rate=0.25, decay_steps="1 epoch", staircase=True)
    assert rates(schedule) == [0.8] * 4 + [0.2] * 4


def test_decay_counts_from_the_end_of_warmup() -> None:
    schedule = make("exponential", decay_rate=0.5, decay_steps=2, staircase=True, warmup=2)
    assert rates(schedule) == [0.0, 0.4, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


def test_step_multiplies_by_drop() -> None:
    assert rates(make("step", drop=0.5, every="25%")) == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1]


def test_piecewise_counts_from_the_start_of_the_training() -> None:
    schedule = make("piecewise", boundaries=["1 epoch", "75%"], factors=[1, 0.5, 0.25], warmup=2)
    assert rates(schedule) == [0.0, 0.4, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


def test_inverse_time() -> None:
    schedule = make("inverse_time", decay_rate=1.0, decay_steps="1 epoch", staircase=True)
    assert rates(schedule) == [0.8] * 4 + [0.4] * 4


def test_polynomial_fills_the_training_unless_told() -> None:
    assert rates(make("polynomial")) == [0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]
    short = make("polynomial", decay_steps="50%", final_fraction=0.5)
    assert rates(short) == [0.8, 0.7, 0.6, 0.5, 0.4, 0.4, 0.4, 0.4]


def test_cosine_falls_to_the_final_fraction() -> None:
    schedule = make("cosine", final_fraction=0.5)
    # 0.8 · (0.5 + 0.5 · (1 + cos(π t / 8)) / 2)
    assert rates(schedule)[:5:2] == [0.8, 0.741421, 0.6]
    assert rates(schedule)[7] == 0.415224


def test_cosine_restarts_after_each_epoch() -> None:
    schedule = make("cosine_restarts", first_decay_steps="1 epoch", t_mul=1.0, m_mul=0.5)
    first = [0.8, 0.682843, 0.4, 0.117157]
    assert rates(schedule)[:4] == first
    assert rates(schedule)[4:] == pytest.approx([rate / 2 for rate in first], abs=1e-6)


def test_one_cycle_ends_at_its_lowest() -> None:
    schedule = make("one_cycle", rise=3, initial_fraction=0.25, final_fraction=0, anneal="linear")
    assert rates(schedule) == [0.2, 0.5, 0.8, 0.64, 0.48, 0.32, 0.16, 0.0]


def test_one_cycle_of_100_steps_by_hand() -> None:
    """The defaults are those of torch's OneCycleLR: up over 30 steps, from r/25 to r/25e4."""
    table = learning_rates(make("one_cycle"), 1.0, 10, 10)
    assert table[[0, 29, 99]].tolist() == pytest.approx([0.04, 1.0, 4e-6])
    # A third of the way down, t = 52: (1 + cos(π · 23 / 70)) / 2.
    assert table[52] == pytest.approx((1 + np.cos(np.pi * 23 / 70)) / 2, rel=1e-5)


def test_hold_then_decay() -> None:
    schedule = make("hold_then_decay", hold="1 epoch", decay=float(np.log(2)), every=2)
    assert rates(schedule) == [0.8] * 4 + [0.4, 0.4, 0.2, 0.2]


def test_before_any_validation_a_plateau_is_constant() -> None:
    assert rates(make("reduce_on_plateau")) == [0.8] * 8


KERAS_CASES: list[tuple[str, dict[str, Any], Callable[[Any], Any]]] = [
    (
        "cosine",
        {"final_fraction": 0.1, "warmup": 10},
        lambda k: k.CosineDecay(0.0, 90, alpha=0.1, warmup_target=RATE, warmup_steps=10),
    ),
    (
        "cosine",
        {"warmup": 10, "warmup_start_fraction": 0.25},
        lambda k: k.CosineDecay(RATE / 4, 90, warmup_target=RATE, warmup_steps=10),
    ),
    (
        "exponential",
        {"decay_rate": 0.5, "decay_steps": 20},
        lambda k: k.ExponentialDecay(RATE, 20, 0.5),
    ),
    (
        "exponential",
        {"decay_rate": 0.5, "decay_steps": 16, "staircase": True},
        lambda k: k.ExponentialDecay(RATE, 16, 0.5, staircase=True),
    ),
    (
        "inverse_time",
        {"decay_rate": 0.7, "decay_steps": 16},
        lambda k: k.InverseTimeDecay(RATE, 16, 0.7),
    ),
    (
        "inverse_time",
        {"decay_rate": 0.7, "decay_steps": 16, "staircase": True},
        lambda k: k.InverseTimeDecay(RATE, 16, 0.7, staircase=True),
    ),
    (
        "polynomial",
        {"power": 2.5, "final_fraction": 0.125, "decay_steps": 64},
        lambda k: k.PolynomialDecay(RATE, 64, RATE / 8, power=2.5),
    ),
    (
        "polynomial",
        {"final_fraction": 0.125, "decay_steps": 16, "cycle": True},
        lambda k: k.PolynomialDecay(RATE, 16, RATE / 8, cycle=True),
    ),
    # Keras changes one step after the boundary, we with it.
    (
        "piecewise",
        {"boundaries": ["3 epochs", "70%"], "factors": [1.0, 0.5, 0.125]},
        lambda k: k.PiecewiseConstantDecay([29, 69], [RATE, RATE / 2, RATE / 8]),
    ),
    (
        "cosine_restarts",
        {"first_decay_steps": 16, "t_mul": 1.0, "m_mul": 0.5},
        lambda k: k.CosineDecayRestarts(RATE, 16, t_mul=1.0, m_mul=0.5),
    ),
    (
        "cosine_restarts",
        {"first_decay_steps": 10, "t_mul": 1.5, "m_mul": 0.9, "final_fraction": 0.01},
        lambda k: k.CosineDecayRestarts(RATE, 10, t_mul=1.5, m_mul=0.9, alpha=0.01),
    ),
]


@pytest.mark.parametrize(("kind", "fields", "keras_schedule"), KERAS_CASES)
def test_it_equals_keras_at_every_step(
    kind: str, fields: dict[str, Any], keras_schedule: Callable[[Any], Any]
) -> None:
    import keras

    theirs = keras_schedule(keras.optimizers.schedules)
    expected = np.array([float(theirs(np.int64(step))) for step in range(100)])
    ours = learning_rates(make(kind, **fields), RATE, 10, 10)
    np.testing.assert_allclose(ours, expected, rtol=5e-6, atol=5e-7)


def test_the_step_runs_every_schedule_as_its_table_says() -> None:
    """One traced function for all of them: the table is a variable."""
    import keras
    import tensorflow as tf

    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(2)(inputs))
    optimizer = build_optimizer(OptimizerConfig(name="sgd"))
    optimizer.build(model.trainable_variables)
    table = tf.Variable(tf.zeros(20))
    task, ones = classification(("a", "b")), np.ones(5, np.int32)
    function = training_function(Learner(model), optimizer, task, table, ones)
    batch = (np.ones((3, 2), np.float32), np.array([0, 1, 0]), np.ones(3, np.float32))
    runner = EpochRunner(function, iter(tf.data.Dataset.from_tensors(batch).repeat()))
    for kind, fields in EXAMPLES.items():
        expected = learning_rates(make(kind, warmup=2, **fields), RATE, 5, 4)
        table.assign(expected)
        parts = [runner.run(epoch * 5, 5).rates for epoch in range(4)]
        np.testing.assert_array_equal(np.concatenate(parts), expected, err_msg=kind)


REFUSED = [
    ("constant", {"warmup": "100%"}, r"warmup is 8 steps, expected fewer than the 8 steps"),
    ("step", {"drop": 0.5, "every": "1%"}, r"schedule.every is 1% = 0 of 8 steps"),
    ("exponential", {"decay_rate": 0.5, "decay_steps": "1%"}, r"schedule.decay_steps is 1% = 0"),
    ("inverse_time", {"decay_rate": 0.5, "decay_steps": "1%"}, r"schedule.decay_steps is 1% = 0"),
    ("polynomial", {"decay_steps": "1%"}, r"schedule.decay_steps is 1% = 0"),
    ("cosine_restarts", {"first_decay_steps": "1%"}, r"schedule.first_decay_steps is 1% = 0"),
    ("hold_then_decay", {"every": "1%"}, r"schedule.every is 1% = 0"),
    ("one_cycle", {"rise": 1}, r"schedule.rise is 1 of 8 steps, expected at least 2"),
    ("one_cycle", {"rise": 6, "warmup": 2}, r"schedule.rise is 6 of 6 steps"),
    (
        "piecewise", {"boundaries": ["1 epoch", "50%"], "factors": [1, 1, 1]},
        r"schedule.boundaries are the steps \[4, 4\] after a warm-up of 0, expected a rising row",
    ),
    (
        "piecewise", {"boundaries": [2], "factors": [1, 1], "warmup": 2},
        r"schedule.boundaries are the steps \[2\] after a warm-up of 2",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "fields", "words"), REFUSED)
def test_what_does_not_fit_into_the_steps_is_refused(
    kind: str, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        rates(make(kind, **fields))
