"""tfmot's clustering wrapper: what it does, what is mended, and whether the faults still are."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from pipeline.bridge.centroids import INITIALIZATIONS, strip_layer, wrap_layer
from pipeline.bridge.start import import_tf_keras, import_tfmot
from pipeline.config.cluster import CentroidInitialization

KERNEL = np.float32(
    [[-4.2, -3.9, 0.0, 0.0], [0.0, 1.1, 0.9, 0.0], [5.1, 0.0, 4.9, 1.0], [0.0, -4.0, 5.0, 0.0]]
)


def dense(kernel: np.ndarray = KERNEL) -> Any:
    layer = import_tf_keras().layers.Dense(kernel.shape[1], use_bias=False, name="d")
    layer.build((None, len(kernel)))
    layer.kernel.assign(kernel)
    return layer


def wrapped(initialization: Any = "kmeans_plus_plus", kernel: np.ndarray = KERNEL) -> Any:
    layer = wrap_layer(dense(kernel), 4, initialization, preserve_sparsity=True)
    layer.build((None, len(kernel)))
    return layer


def set_centroids(layer: Any, values: list[float]) -> None:
    layer.cluster_centroids["kernel"].assign(values)


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_each_initialization_has_zero_and_is_the_same_again(initialization: Any) -> None:
    first, second = (wrapped(initialization).cluster_centroids["kernel"].numpy() for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert first.size == 4 and (first == 0).sum() == 1
    assert first.min() < 0 < first.max()


def test_the_table_is_what_may_be_configured_and_what_tfmot_has() -> None:
    assert set(INITIALIZATIONS) == set(get_args(CentroidInitialization))
    names = import_tfmot().clustering.keras.CentroidInitialization.__members__
    assert set(names) - set(INITIALIZATIONS.values()) == {"RANDOM"}


def test_density_based_finds_fewer_values_than_asked() -> None:
    """tfmot looks at 30 points of each sign (tfmot 0.8.1); docs/cluster.md says so."""
    kernel = np.random.default_rng(0).normal(size=(80, 80)).astype(np.float32)
    layer = wrap_layer(dense(kernel), 128, "density_based", preserve_sparsity=True)
    layer.build((None, 80))
    assert np.unique(layer.cluster_centroids["kernel"]).size < 61


def test_each_weight_takes_the_nearest_centroid() -> None:
    layer = wrapped()
    order = [float(value) for value in layer.cluster_centroids["kernel"].numpy()]
    zero = order.index(0.0)
    others = iter([5.0, -4.0, 1.0])  # in any order: the look-up sorts
    set_centroids(layer, [0.0 if place == zero else next(others) for place in range(4)])
    plain = layer.layer
    strip_layer(layer)
    expected = [[-4, -4, 0, 0], [0, 1, 1, 0], [5, 0, 5, 1], [0, -4, 5, 0]]
    assert plain.kernel.numpy().tolist() == expected
    assert [weight.name for weight in plain.weights] == [plain.kernel.name]


def test_the_look_up_is_tfmot_s_own_without_its_memory() -> None:
    from tensorflow_model_optimization.python.core.clustering.keras import clustering_algorithm

    generator = np.random.default_rng(1)
    kernel = generator.normal(size=(40, 30)).astype(np.float32)
    layer = wrapped(kernel=kernel)
    mine = layer.clustering_algorithms["kernel"]
    theirs = clustering_algorithm.ClusteringAlgorithm(layer.cluster_centroids["kernel"])
    np.testing.assert_array_equal(
        mine.get_pulling_indices(kernel), theirs.get_pulling_indices(kernel)
    )


def test_gradients_are_summed_by_cluster_and_passed_straight_to_the_weights() -> None:
    import tensorflow as tf

    layer = wrapped()
    centroids, weight = layer.cluster_centroids["kernel"], layer.layer.kernel
    zero = list(centroids.numpy()).index(0.0)
    others = iter([5.0, -4.0, 1.0])
    set_centroids(layer, [0.0 if place == zero else next(others) for place in range(4)])
    x = np.float32([[1, 2, 3, 4]])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(x))
    by_centroid, by_weight = tape.gradient(total, [centroids, weight])
    sums = dict(zip(centroids.numpy().tolist(), np.asarray(by_centroid).tolist(), strict=True))
    # Rows weigh 1, 2, 3, 4; the values of the test above.
    assert sums == {5.0: 3 + 3 + 4, -4.0: 1 + 1 + 4, 1.0: 2 + 2 + 3, 0.0: 0.0}
    # What was zero stays so: tfmot masks the free weights as well.
    assert (by_weight.numpy() == np.where(KERNEL != 0, x.T, 0)).all()


def test_a_zero_centroid_does_not_move() -> None:
    """tfmot's does, until the next call (tfmot 0.8.1): when this fails, the mending may go."""
    import tensorflow as tf

    for mended in (True, False):
        layer = wrapped()
        if not mended:
            from tensorflow_model_optimization.python.core.clustering.keras import (
                clustering_algorithm,
            )

            layer.clustering_algorithms["kernel"] = clustering_algorithm.ClusteringAlgorithm(
                layer.cluster_centroids["kernel"]
            )
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(layer(np.float32([[1, 2, 3, 4]])))
        centroids = layer.cluster_centroids["kernel"]
        gradient = tf.convert_to_tensor(tape.gradient(total, centroids))
        centroids.assign_sub(0.1 * gradient)
        assert (0.0 in centroids.numpy()) == mended


def test_masks_pass_through() -> None:
    """tfmot's wrapper drops or chokes on them (tfmot 0.8.1); when it no longer does, the mending
    may go."""
    layers = import_tf_keras().layers
    from tensorflow_model_optimization.python.core.clustering.keras import cluster_wrapper

    def theirs(layer: Any) -> Any:
        linear = import_tfmot().clustering.keras.CentroidInitialization.LINEAR
        return cluster_wrapper.ClusterWeights(layer, 4, linear)

    def mine(layer: Any) -> Any:
        return wrap_layer(layer, 4, "linear", preserve_sparsity=True)

    words = np.int32([[1, 0, 2]])
    embedding = layers.Embedding(10, 4, mask_zero=True)
    embedding(words)
    assert mine(embedding)(words)._keras_mask.numpy().tolist() == [[True, False, True]]
    assert not hasattr(theirs(embedding)(words), "_keras_mask")
    masked = layers.Masking(9.0)(np.float32([[[9, 9, 9, 9], [1, 2, 3, 4]]]))
    assert mine(dense())(masked)._keras_mask.numpy().tolist() == [[False, True]]
    with pytest.raises(TypeError, match="unexpected keyword argument 'mask'"):
        theirs(dense())(masked)


def test_dropout_in_a_recurrent_layer_is_on_in_training() -> None:
    x = np.random.default_rng(0).normal(size=(3, 5, 4)).astype(np.float32)
    layer = import_tf_keras().layers.LSTM(6, dropout=0.5, name="lstm")
    layer(x)
    wrapper = wrap_layer(layer, 8, "linear", preserve_sparsity=True)
    assert np.abs(wrapper(x, training=True) - wrapper(x, training=False)).max() > 1e-3
    np.testing.assert_array_equal(wrapper(x), wrapper(x, training=False))
