"""Durations to steps, overrides to layers, and the sparsity at each step."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.bridge.pruning_schedule import (
    Sparsities,
    Timing,
    layer_sparsities,
    resolve_timing,
    schedule_class,
    sparsity_at,
)
from pipeline.config.prune import PruneConfig
from pipeline.errors import ConfigError


def config(epochs: int = 10, layers: dict[str, Any] | None = None, **schedule: Any) -> PruneConfig:
    schedule = {"kind": "polynomial", **schedule}
    return PruneConfig.model_validate(
        {"epochs": epochs, "pruning_schedule": schedule, "layers": layers or {}}
    )


def test_durations_become_steps() -> None:
    timing = resolve_timing(
        config(begin_step="1 epoch", end_step="50%", frequency=4, power=2.0), steps_per_epoch=7
    )
    assert timing == Timing(begin=7, end=35, frequency=4, power=2.0, reached=35)


def test_a_constant_schedule_reaches_its_sparsity_at_once() -> None:
    timing = resolve_timing(config(kind="constant", final_sparsity=0.5), 7)
    assert timing == Timing(begin=1, end=70, frequency=10, power=None, reached=1)


def test_masks_made_once_are_final_at_once() -> None:
    schedule = {"kind": "once", "begin_step": "1 epochs"}
    values = {"epochs": 3, "sparsity_m_by_n": (1, 4), "pruning_schedule": schedule}
    once = PruneConfig.model_validate(values)
    assert resolve_timing(once, 7) == Timing(begin=7, end=7, frequency=1, power=None, reached=7)
    assert layer_sparsities(once, ["conv"]) == {"conv": Sparsities(0.25, 0.25)}


@pytest.mark.parametrize(
    "schedule", [{"end_step": 71}, {"begin_step": 40, "end_step": 30}, {"end_step": 0}]
)
def test_a_final_sparsity_out_of_reach_is_refused(schedule: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"expected begin_step ≤ end_step ≤ 70"):
        resolve_timing(config(**schedule), 7)


def test_the_first_matching_pattern_wins() -> None:
    layers = {
        "logits": {"skip": True},
        "conv_*": {"final_sparsity": 0.5},
        "*_2": {"initial_sparsity": 0.25, "final_sparsity": 0.9},
    }
    found = layer_sparsities(
        config(layers=layers, initial_sparsity=0.6, final_sparsity=0.8),
        ["conv_2", "dense_2", "dense_3", "logits"],
    )
    assert found == {
        "conv_2": Sparsities(0.5, 0.5),
        "dense_2": Sparsities(0.25, 0.9),
        "dense_3": Sparsities(0.6, 0.8),
        "logits": None,
    }


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"pattern 'convv\*' matches no layer.* has conv, logits"):
        layer_sparsities(config(layers={"convv*": {"skip": True}}), ["conv", "logits"])


def test_an_initial_sparsity_above_the_final_is_refused() -> None:
    layers = {"conv": {"initial_sparsity": 0.9, "final_sparsity": 0.5}}
    with pytest.raises(ConfigError, match=r"'conv' has initial_sparsity .* above final"):
        layer_sparsities(config(layers=layers), ["conv"])


def test_a_constant_schedule_has_no_initial_sparsity() -> None:
    layers = {"conv": {"initial_sparsity": 0.1}}
    with pytest.raises(ConfigError, match="initial_sparsity for 'conv', but a constant"):
        layer_sparsities(config(kind="constant", final_sparsity=0.5, layers=layers), ["conv"])


@pytest.mark.parametrize(
    ("step", "expected"), [(9, 0.0), (10, 0.2), (20, 0.65), (30, 0.8), (99, 0.8)]
)
def test_the_polynomial_by_hand(step: int, expected: float) -> None:
    # half way with power 2: 0.8 + (0.2 - 0.8) · 0.5² = 0.65
    timing = Timing(begin=10, end=30, frequency=1, power=2.0, reached=30)
    assert float(sparsity_at(Sparsities(0.2, 0.8), timing, step)) == pytest.approx(expected)


def test_masks_change_every_frequency_steps_and_at_the_end() -> None:
    import tensorflow as tf

    step = tf.Variable(0, dtype=tf.int64)
    timing = Timing(begin=3, end=14, frequency=4, power=3.0, reached=14)
    schedule = schedule_class()(Sparsities(0.0, 0.5), timing, step)
    updates = []
    for number in range(1, 20):
        step.assign(number)
        update, sparsity = schedule(tf.constant(-5))  # the wrapper's own count is not read
        if bool(update):
            updates.append(number)
    assert updates == [3, 7, 11, 14]
    assert float(sparsity) == pytest.approx(0.5)


def test_tfmot_still_misses_the_final_sparsity() -> None:
    """Fails the day tfmot updates masks at end_step whatever the frequency."""
    from pipeline.bridge.start import import_tfmot

    decay = import_tfmot().sparsity.keras.PolynomialDecay(0.0, 0.5, 3, 14, frequency=4)
    assert not bool(decay(14)[0])
