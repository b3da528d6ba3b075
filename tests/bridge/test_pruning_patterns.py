"""Blocks and m of n: masks as tfmot's own, and kernels that tfmot refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.pruning import prune
from pipeline.bridge.pruning_patterns import pattern_pruning, reason_against_pattern
from pipeline.bridge.start import import_tf_keras, import_tfmot
from pipeline.compression.weight_patterns import count_groups, count_zero_blocks
from pipeline.config.prune import PruneConfig
from pipeline.data.prepared import PreparedData
from pipeline.progress import SilentProgress

WEIGHTS = np.random.default_rng(7).normal(size=(8, 12)).astype(np.float32)


def settings(**values: Any) -> PruneConfig:
    return PruneConfig.model_validate(values)


def half(step: Any) -> tuple[bool, float]:
    return True, 0.5


def mask_of(pruning: Any, weights: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    return np.asarray(pruning._maybe_update_block_mask(tf.constant(weights))[1])


def ours(config: PruneConfig, weights: np.ndarray) -> np.ndarray:
    pruning = pattern_pruning()(
        config, training_step_fn=lambda: 0, pruning_vars=[], pruning_schedule=half
    )
    return mask_of(pruning, weights)


def tfmots(weights: np.ndarray, **pattern: Any) -> np.ndarray:
    import_tfmot()
    from tensorflow_model_optimization.python.core.sparsity.keras import pruning_impl

    given = {"block_size": (1, 1), "block_pooling_type": "AVG", **pattern}
    return mask_of(pruning_impl.Pruning(lambda: 0, [], half, **given), weights)


@pytest.mark.parametrize("block_size", [(4, 1), (1, 4), (2, 3)])
@pytest.mark.parametrize("pooling", ["AVG", "MAX"])
def test_blocks_of_a_matrix_are_tfmots(block_size: tuple[int, int], pooling: Any) -> None:
    config = settings(block_size=block_size, block_pooling_type=pooling)
    expected = tfmots(WEIGHTS, block_size=block_size, block_pooling_type=pooling)
    np.testing.assert_array_equal(ours(config, WEIGHTS), expected)
    blocks = WEIGHTS.size // int(np.prod(block_size))
    assert count_zero_blocks(expected, *block_size) == blocks // 2


@pytest.mark.parametrize("shape", [(8, 12), (3, 2, 4, 4)])
def test_two_of_four_are_tfmots_where_it_takes_the_kernel(shape: tuple[int, ...]) -> None:
    weights = WEIGHTS.reshape(shape)
    expected = tfmots(weights, sparsity_m_by_n=(2, 4))
    found = ours(settings(sparsity_m_by_n=(2, 4)), weights)
    np.testing.assert_array_equal(found, expected)
    assert count_groups(found.reshape(-1, shape[-1]).T, 2, 4) == WEIGHTS.size // 4
    assert found.mean() == 0.5


def test_tfmot_still_refuses_what_is_mended_here() -> None:
    """The day this fails, a part of pattern_pruning may go."""
    conv = WEIGHTS.reshape(2, 4, 12)
    with pytest.raises(ValueError, match="not supported"):
        tfmots(conv, sparsity_m_by_n=(2, 4))
    assert ours(settings(sparsity_m_by_n=(2, 4)), conv).mean() == 0.5
    tf_keras = import_tf_keras()
    layer = tf_keras.layers.Conv2D(4, 3, input_shape=(8, 8, 2))
    own = import_tfmot().sparsity.keras.prune_low_magnitude
    with pytest.raises(ValueError, match="2-dimensional weights"):
        own(tf_keras.Sequential([layer]), block_size=(2, 1))
    with pytest.raises(ValueError, match="rank 2 only"):
        tfmots(WEIGHTS.reshape(-1, 1), block_size=(4, 1))
    assert ours(settings(block_size=(4, 1)), WEIGHTS.reshape(-1, 1)).mean() == 0.5


@pytest.mark.parametrize(
    ("make", "shape", "reason"),
    [
        (lambda layers: layers.LSTM(4), (5, 8), "does not store the kernel of LSTM as one matrix"),
        (lambda layers: layers.Conv2D(8, 3, groups=2), (8, 8, 8), "its 2 groups of channels"),
        (lambda layers: layers.Conv2DTranspose(8, 3), (8, 8, 8), "kernel of Conv2DTranspose"),
        (lambda layers: layers.SeparableConv2D(8, 3), (8, 8, 8), None),
        (lambda layers: layers.Dense(8), (6,), "6 inputs are no multiple of the 4"),
    ],
)
def test_kernels_that_cannot_have_two_of_four(make: Any, shape: Any, reason: str | None) -> None:
    layer = make(import_tf_keras().layers)
    layer.build((None, *shape))
    found = reason_against_pattern(layer, settings(sparsity_m_by_n=(2, 4)))
    assert (reason is None) == (found is None)
    assert reason is None or reason in str(found)


def small() -> Any:
    import keras

    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, name="c1")(inputs)
    x = layers.Conv2D(8, 3, strides=2, name="c2")(x)
    x = layers.Conv1D(8, 3, activation="relu", name="c3")(layers.Reshape((4, 8), name="flat")(x))
    x = layers.GlobalAveragePooling1D(name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="small")


@pytest.mark.parametrize(
    "pattern",
    [
        {"sparsity_m_by_n": (2, 4), "pruning_schedule": {"kind": "once", "begin_step": 3}},
        {
            "block_size": (4, 1),
            "pruning_schedule": {"kind": "constant", "final_sparsity": 0.5},
        },
    ],
    ids=["m_by_n", "blocks"],
)
def test_a_model_is_pruned_in_the_pattern(
    tiny_data: PreparedData, tmp_path: Path, pattern: dict[str, Any]
) -> None:
    config = settings(epochs=2, batch_size=32, **pattern)
    model = small()
    result = prune(model, tiny_data, config, 5, tmp_path, tmp_path / "out", SilentProgress())
    rows = {row["layer"]: row for row in result.layers}
    assert set(rows) == {"c2", "c3", "logits"}
    for name in rows:
        matrix = model.get_layer(name).kernel.numpy()
        matrix = matrix.reshape(-1, matrix.shape[-1])
        assert np.mean(matrix == 0) == 0.5
        if "sparsity_m_by_n" in pattern:
            assert count_groups(matrix.T, 2, 4) == rows[name]["groups"] == matrix.size // 4
        else:
            assert count_zero_blocks(matrix, 4, 1) == rows[name]["zero_blocks"] == matrix.size // 8
    assert result.metrics()["sparsity"] == 0.5
