"""What a checkpoint must hold."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.state import TrainingState, last_name, random_states
from pipeline.errors import ArtifactError
from tests.bridge.bridge_models import chain_cnn, samples_for


def state_of(seed: int = 0) -> tuple[object, TrainingState]:
    from pipeline.bridge.start import import_tf_keras

    crossed = to_tf_keras(chain_cnn(), seed)
    optimizer = import_tf_keras().optimizers.Adam()
    optimizer.build(crossed.trainable_variables)
    return crossed, TrainingState(crossed, optimizer)


def test_weights_optimizer_and_random_state_are_held() -> None:
    crossed, state = state_of()
    kinds = [name.split("/")[0] for name in state.read()]
    assert kinds.count("model") == len(crossed.variables)
    assert kinds.count("random") == 1
    assert kinds.count("optimizer") > 2 * len(crossed.trainable_variables)


def test_written_state_draws_the_same_dropout() -> None:
    model = chain_cnn()
    crossed, state = state_of()
    x = samples_for(model)[0]
    saved = state.read()
    first = crossed(x, training=True).numpy()
    assert not np.array_equal(first, crossed(x, training=True).numpy())
    state.write(saved)
    np.testing.assert_array_equal(first, crossed(x, training=True).numpy())


def test_reading_copies() -> None:
    crossed, state = state_of()
    saved = state.read("model")
    crossed.variables[0].assign(crossed.variables[0] + 1)
    assert not np.array_equal(saved["model/0000"], crossed.variables[0].numpy())


def test_a_view_reads_what_variables_hold_by_now() -> None:
    crossed, state = state_of()
    view = state.view({"schedule": np.zeros(2)})
    crossed.variables[0].assign(crossed.variables[0] + 1)
    assert list(view) == [*state.read(), "schedule"] and len(view) == len(list(view))
    np.testing.assert_array_equal(view["model/0000"], crossed.variables[0].numpy())
    assert view["schedule"].size == 2 and "other" not in view


def test_a_missing_array_is_refused() -> None:
    _, state = state_of()
    arrays = state.read()
    del arrays["random/0000"]
    with pytest.raises(ArtifactError, match="the checkpoint holds nothing for random/0000"):
        state.write(arrays)


def test_the_generator_is_still_no_variable_of_the_model() -> None:
    """Fails the day model.variables holds Dropout's state: then random_states is not needed."""
    crossed = to_tf_keras(chain_cnn())
    assert all(variable is not random_states(crossed)[0] for variable in crossed.variables)


def test_last_name_leaves_the_layers_out() -> None:
    named = SimpleNamespace(name="model/alpha_head/quant_kernel:0")
    assert last_name(named) == "quant_kernel"
    assert last_name(SimpleNamespace(name="alpha:0")) == "alpha"
