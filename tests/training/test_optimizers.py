"""Every optimizer learns, obeys the table of rates and its clipping, and can be restored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.optimizer import OPTIMIZERS, OptimizerConfig
from pipeline.config.train import TrainConfig
from pipeline.data.prepared import PreparedData
from pipeline.progress import SilentProgress
from pipeline.training.checkpoint import Checkpoint, load_checkpoint
from pipeline.training.fit import fit
from pipeline.training.optimizers import build_optimizer

LEARNING_RATES = {"sgd": 0.1, "adadelta": 1.0, "adagrad": 0.1, "ftrl": 0.3, "adafactor": 0.05}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_it_learns_and_goes_on_bit_for_bit(
    name: str, build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    optimizer = OptimizerConfig(name=name, learning_rate=LEARNING_RATES.get(name, 0.01))
    config = TrainConfig(epochs=4, batch_size=25, optimizer=optimizer)

    def run() -> tuple[list[dict[str, float]], Checkpoint]:
        work, output = tmp_path / "work", tmp_path / "output"
        model = build(dropout=0.0)
        history = fit(model, data, config, 1, work, output, SilentProgress()).history
        checkpoint = load_checkpoint(work)
        assert checkpoint is not None
        return history, checkpoint

    history, whole = run()
    assert history[-1]["loss"] < history[0]["loss"]
    (tmp_path / "work" / "epoch-00000004.checkpoint").unlink()
    _, resumed = run()
    assert whole.epoch == resumed.epoch == 4
    assert list(whole.arrays) == list(resumed.arrays)
    for key, array in whole.arrays.items():
        assert array.tobytes() == resumed.arrays[key].tobytes(), key


@pytest.mark.parametrize(("epsilon_1", "finite"), [(None, True), (1e-30, False)])
def test_adafactor_needs_a_larger_epsilon_than_keras_gives_it(
    epsilon_1: float | None, finite: bool
) -> None:
    """Fails the day 1e-30, Keras's default, is enough: then SAFER_DEFAULTS is not needed."""
    import keras
    import tensorflow as tf

    arguments = {} if epsilon_1 is None else {"epsilon_1": epsilon_1}
    optimizer = build_optimizer(OptimizerConfig(name="adafactor", arguments=arguments))
    weight = keras.Variable(np.ones((3, 2), np.float32))
    # Neither the first row nor the first column has a gradient.
    optimizer.apply([tf.constant([[0.0, 0.0], [0.0, 1.0], [0.0, 1.0]])], [weight])
    assert bool(np.isfinite(np.asarray(weight.value)).all()) == finite


def test_own_arguments_reach_keras() -> None:
    config = OptimizerConfig.model_validate(
        {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True}
    )
    optimizer = build_optimizer(config)
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)


@pytest.mark.parametrize(
    ("clipping", "expected"),
    [
        ({"value": 1.0}, [[1.0, 1.0], [0.5, 0.0]]),
        ({"norm": 1.0}, [[0.6, 0.8], [0.5, 0.0]]),
        ({"global_norm": 1.0}, [[3 / 25.25**0.5, 4 / 25.25**0.5], [0.5 / 25.25**0.5, 0.0]]),
        (None, [[3.0, 4.0], [0.5, 0.0]]),
    ],
)
def test_clipping_by_hand(clipping: dict[str, float] | None, expected: list[Any]) -> None:
    """SGD at rate 1 moves by minus the clipped gradients; these have norms 5 and 0.5."""
    import keras
    import tensorflow as tf

    config = OptimizerConfig.model_validate(
        {"name": "sgd", "learning_rate": 1.0, "gradient_clipping": clipping}
    )
    optimizer = build_optimizer(config)
    variables = [keras.Variable([0.0, 0.0]), keras.Variable([0.0, 0.0])]
    optimizer.apply([tf.constant([3.0, 4.0]), tf.constant([0.5, 0.0])], variables)
    moved = [-np.asarray(variable.value) for variable in variables]
    np.testing.assert_allclose(moved, expected, rtol=1e-6)
