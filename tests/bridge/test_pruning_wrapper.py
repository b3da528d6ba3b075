"""Pruned layers treat masks as they did before; tfmot's own wrapper does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.pruning_wrapper import pruning_wrapper
from pipeline.bridge.start import import_tf_keras, import_tfmot, without_autograph

PRUNED = ("words", "dense")
IDS = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0]], np.int32)


@pytest.fixture(scope="module")
def plain() -> Any:
    """Padding is masked from the Embedding through Dense to the attention."""
    import keras

    layers = keras.layers
    inputs = keras.Input((5,), dtype="int32", name="ids")
    x = layers.Dense(4, name="dense")(layers.Embedding(9, 4, mask_zero=True, name="words")(inputs))
    model = keras.Model(inputs, layers.MultiHeadAttention(2, 3, name="attention")(x, x))
    return to_tf_keras(model)


@without_autograph
def wrap(plain: Any, wrapper: Any, names: tuple[str, ...] = PRUNED) -> Any:
    schedule = import_tfmot().sparsity.keras.ConstantSparsity(0.5, 0)

    def wrapped(layer: Any) -> Any:
        return wrapper(layer, pruning_schedule=schedule) if layer.name in names else layer

    return import_tf_keras().models.clone_model(plain, clone_function=wrapped)


def test_masks_go_through_pruned_layers(plain: Any) -> None:
    wrapped = wrap(plain, pruning_wrapper())
    np.testing.assert_array_equal(wrapped(IDS).numpy(), plain(IDS).numpy())


def test_tfmots_own_wrapper_still_drops_them(plain: Any) -> None:
    """The day this fails, pruning_wrapper may be tfmot's."""
    own = import_tfmot().sparsity.keras.prune_low_magnitude
    wrapped = wrap(plain, own, ("words",))
    assert not np.allclose(wrapped(IDS).numpy(), plain(IDS).numpy(), atol=1e-4)
    with pytest.raises(TypeError, match="unexpected keyword argument 'mask'"):
        wrap(plain, own, ("dense",))
