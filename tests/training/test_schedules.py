"""Every formula at every step, by hand and against Keras's own schedules."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.config.schedule import (
    ConstantSchedule,
    CosineSchedule,
    ExponentialSchedule,
    StepSchedule,
)
from pipeline.errors import ConfigError
from pipeline.training.schedules import learning_rates


def rates(schedule: object, steps_per_epoch: int = 4, epochs: int = 2) -> list[float]:
    table = learning_rates(schedule, 0.8, steps_per_epoch, epochs)
    assert table.dtype == np.float32
    assert table.shape == (steps_per_epoch * epochs,)
    return [round(float(rate), 6) for rate in table]


def test_constant_is_the_base_rate() -> None:
    assert rates(ConstantSchedule()) == [0.8] * 8


def test_warmup_rises_linearly_from_zero() -> None:
    assert rates(ConstantSchedule(warmup="1 epoch")) == [0.0, 0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8]


def test_exponential_is_smooth() -> None:
    schedule = ExponentialSchedule(kind="exponential", decay_rate=0.25, decay_every="1 epoch")
    expected = [0.8, 0.565685, 0.4, 0.282843, 0.2, 0.141421, 0.1, 0.070711]
    assert rates(schedule) == expected


def test_exponential_staircase_falls_at_the_end_of_a_period() -> None:
    schedule = ExponentialSchedule(
        kind="exponential", decay_rate=0.25, decay_every="1 epoch", staircase=True
    )
    assert rates(schedule) == [0.8] * 4 + [0.2] * 4


def test_decay_counts_from_the_end_of_warmup() -> None:
    schedule = ExponentialSchedule(
        kind="exponential", decay_rate=0.5, decay_every=2, staircase=True, warmup=2
    )
    assert rates(schedule) == [0.0, 0.4, 0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


def test_step_multiplies_by_drop() -> None:
    schedule = StepSchedule(kind="step", drop=0.5, every="25%")
    assert rates(schedule) == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1, 0.1]


def test_cosine_falls_to_the_final_fraction() -> None:
    schedule = CosineSchedule(kind="cosine", final_fraction=0.5)
    # 0.8 · (0.5 + 0.5 · (1 + cos(π t / 8)) / 2)
    assert rates(schedule)[:5:2] == [0.8, 0.741421, 0.6]
    assert rates(schedule)[7] == 0.415224


def test_cosine_and_exponential_equal_keras() -> None:
    import keras

    schedules = keras.optimizers.schedules
    cosine = schedules.CosineDecay(0.0, 90, alpha=0.1, warmup_target=0.8, warmup_steps=10)
    exponential = schedules.ExponentialDecay(0.8, 20, 0.5)
    ours = learning_rates(CosineSchedule(kind="cosine", final_fraction=0.1, warmup=10), 0.8, 10, 10)
    np.testing.assert_allclose(ours, [float(cosine(s)) for s in range(100)], rtol=2e-6, atol=1e-8)
    ours = learning_rates(
        ExponentialSchedule(kind="exponential", decay_rate=0.5, decay_every=20), 0.8, 10, 10
    )
    np.testing.assert_allclose(ours, [float(exponential(s)) for s in range(100)], rtol=2e-6)


def test_warmup_as_long_as_the_training_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"warmup is 8 steps, expected fewer than the 8 steps"):
        rates(ConstantSchedule(warmup="100%"))


def test_a_period_of_zero_steps_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"schedule.every is 0.01 fraction = 0 of 8 steps"):
        rates(StepSchedule(kind="step", drop=0.5, every="1%"))
