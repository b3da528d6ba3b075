"""The state of a training, captured and put back: its next steps are the same bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from pipeline.config.optimizer import OptimizerConfig
from pipeline.tasks.task import classification
from pipeline.training.learner import Learner
from pipeline.training.loop import training_function
from pipeline.training.optimizers import build_optimizer
from pipeline.training.state import capture_state, read_weights, restore_state, write_weights

RATES = np.float32([0.1, 0.05, 0.02, 0.01])


ADAM = OptimizerConfig(name="adam")


def adam(model: Any) -> Any:
    optimizer = build_optimizer(ADAM)
    optimizer.build(model.trainable_variables)
    return optimizer


def step_function(model: Any, optimizer: Any) -> Callable[[int], list[float]]:
    """Returns a function that trains so many steps and returns their losses and rates."""
    import tensorflow as tf

    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(16, 6)).astype(np.float32), rng.integers(0, 3, 16)
    batch = (x, y, np.ones(16, np.float32))
    batches: Iterator[Any] = iter(tf.data.Dataset.from_tensors(batch).repeat())
    task, table = classification(("a", "b", "c")), tf.Variable(RATES)
    function = training_function(Learner(model), optimizer, task, table, np.ones(1, np.int32))

    def run(steps: int) -> list[float]:
        # Where the table is read tells how far the optimizer is.
        first = tf.cast(optimizer.iterations, tf.int64)
        rows = function(batches, first, tf.constant(steps)).numpy()
        return [*rows[:, 0].tolist(), *rows[:, 4].tolist()]

    return run


def others(optimizer: Any) -> dict[str, list[Any]]:
    return {"optimizer": optimizer.variables}


def seed_state(model: Any) -> Any:
    (state,) = (v for v in model.variables if "seed_generator" in v.path)
    return state


def bits(arrays: list[np.ndarray]) -> list[bytes]:
    return [array.tobytes() for array in arrays]


def test_a_restored_training_goes_on_with_the_same_bits(build: Callable[..., Any]) -> None:
    model = build(dropout=0.5)
    optimizer = adam(model)
    run = step_function(model, optimizer)
    run(2)
    state = capture_state(read_weights(model), others(optimizer), None, RATES[:2])
    expected, weights = run(2), bits(read_weights(model))
    assert expected[2:] == RATES[2:].tolist()

    other = build(dropout=0.5)
    other_optimizer = adam(other)
    other_run = step_function(other, other_optimizer)
    other_run(1)  # it is somewhere else by now
    restore_state(other, others(other_optimizer), state)
    assert other_run(2) == expected
    assert bits(read_weights(other)) == weights


def test_without_the_seed_of_dropout_it_would_not(build: Callable[..., Any]) -> None:
    """The control of the test above: the seed state moves, and it matters."""
    model = build(dropout=0.5)
    optimizer = adam(model)
    run = step_function(model, optimizer)
    state = capture_state(read_weights(model), others(optimizer), None, RATES[:0])
    seed = seed_state(model).numpy().copy()
    expected = run(2)
    assert not np.array_equal(seed_state(model).numpy(), seed)
    moved = seed_state(model).numpy().copy()
    restore_state(model, others(optimizer), state)
    np.testing.assert_array_equal(seed_state(model).numpy(), seed)
    seed_state(model).assign(moved)
    assert run(2) != expected


def test_names_and_contents_of_a_captured_state(build: Callable[..., Any]) -> None:
    model = build()
    optimizer = adam(model)
    weights = read_weights(model)
    state = capture_state(weights, others(optimizer), None, RATES)
    # Two kernels and biases, gamma, beta, two statistics, one seed; Adam: the step, the rate and
    # two moments of each of the six trained.
    assert list(state) == [
        *(f"model/{number:05d}" for number in range(9)),
        *(f"optimizer/{number:05d}" for number in range(2 + 2 * 6)),
        "learning_rates",
    ]
    assert state["learning_rates"] is RATES
    assert state["optimizer/00000"].shape == () and state["optimizer/00000"] == 0
    with_best = capture_state(weights, others(optimizer), [weight + 1 for weight in weights], RATES)
    assert set(with_best) - set(state) == {f"best/{number:05d}" for number in range(9)}


def test_the_weights_to_keep_come_back(build: Callable[..., Any]) -> None:
    model = build()
    optimizer = adam(model)
    weights = read_weights(model)
    best = [(weight + 1).astype(weight.dtype) for weight in weights]
    state = capture_state(weights, others(optimizer), best, RATES)
    assert bits(restore_state(model, others(optimizer), state)) == bits(best)
    assert bits(read_weights(model)) == bits(weights), "the model holds the current ones"
    current = capture_state(weights, others(optimizer), None, RATES)
    assert bits(restore_state(model, others(optimizer), current)) == bits(weights)


def test_weights_are_copies(build: Callable[..., Any]) -> None:
    model = build()
    weights = read_weights(model)
    before = bits(weights)
    for variable in model.weights:
        variable.assign(variable + 1)
    assert bits(weights) == before
    write_weights(model, weights)
    assert bits(read_weights(model)) == before


def test_the_state_of_another_model_is_refused(build: Callable[..., Any]) -> None:
    model, without_seed = build(), build(dropout=0.0)
    weights = read_weights(model)
    with pytest.raises(ValueError, match=r"hidden/kernel: shape \(8, 6\), expected \(6, 8\)"):
        write_weights(model, [weights[0].T, *weights[1:]])
    with pytest.raises(ValueError, match="expected"):
        write_weights(without_seed, weights)
    optimizer = adam(model)
    with pytest.raises(ValueError, match="model: 8 arrays, expected 9"):
        write_weights(model, weights[:-1])
    state = capture_state(weights, others(optimizer), None, RATES)
    sgd = build_optimizer(OptimizerConfig(name="sgd"))
    sgd.build(model.trainable_variables)
    with pytest.raises(ValueError, match="optimizer: 14 arrays, expected"):
        restore_state(model, others(sgd), state)


def test_what_does_not_fit_changes_nothing(build: Callable[..., Any]) -> None:
    """The last array is the wrong one: all are checked before the first is assigned."""
    model = build()
    optimizer = adam(model)
    before = bits(read_weights(model))
    moved = [(weight + 1).astype(weight.dtype) for weight in read_weights(model)]
    with pytest.raises(ValueError, match="expected"):
        write_weights(model, [*moved[:-1], np.zeros((7, 7), np.float32)])
    state = capture_state(moved, others(optimizer), None, RATES)
    state["optimizer/00013"] = np.zeros((7, 7), np.float32)
    with pytest.raises(ValueError, match=r"shape \(7, 7\)"):
        restore_state(model, others(optimizer), state)
    assert bits(read_weights(model)) == before
