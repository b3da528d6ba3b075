"""tfmot's clustering wrapper around one layer, with its faults mended (tfmot 0.8.1).

The wrapper trains the free weights and the centroids together: a weight takes the value of the
nearest centroid, a centroid gets the sum of its weights' gradients, and a free weight gets its own
gradient (straight through), so that it may change its cluster.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.start import import_tfmot, without_autograph

if TYPE_CHECKING:
    import tensorflow as tf

    from pipeline.config.cluster import CentroidInitialization

# cluster_centroids_init → tfmot's name. Its RANDOM is not offered: it has no seed.
# KMEANS_PLUS_PLUS has the fixed seed 9, so that the same weights give the same centroids.
INITIALIZATIONS: dict[CentroidInitialization, str] = {
    "linear": "LINEAR",
    "density_based": "DENSITY_BASED",
    "kmeans_plus_plus": "KMEANS_PLUS_PLUS",
}
RECURRENT = frozenset({"SimpleRNN", "LSTM", "GRU"})


def wrap_layer(
    layer: Any, clusters: int, initialization: CentroidInitialization, preserve_sparsity: bool
) -> Any:
    """Wraps a built tf_keras layer so that its kernels hold at most `clusters` values.

    Args:
        layer: of a class in `clustering.CLUSTERED_WEIGHTS`.
        clusters: values of each kernel, ≥ 2; ≥ 3 with preserve_sparsity.
        initialization: of the centroids.
        preserve_sparsity: one centroid is zero and stays so, with the weights that it took first.

    Returns:
        A tf_keras layer; `strip_layer` takes it off again.
    """
    names = import_tfmot().clustering.keras.CentroidInitialization
    return _wrapper_class(type(layer).__name__ in RECURRENT)(
        layer,
        clusters,
        getattr(names, INITIALIZATIONS[initialization]),
        preserve_sparsity=preserve_sparsity,
    )


@without_autograph
def strip_layer(wrapper: Any) -> None:
    """Writes the shared values into the layer's own variables, and gives it these back.

    tfmot's strip_clustering makes new layers instead, which the rest of the model does not know.
    """
    wrapper.update_clustered_weights_associations()
    for name, variable in wrapper.original_clusterable_weights.items():
        variable.assign(wrapper.get_weight_from_layer(name))
        wrapper.set_weight_to_layer(name, variable)


@functools.cache
def _wrapper_class(recurrent: bool) -> Any:
    import_tfmot()
    from tensorflow_model_optimization.python.core.clustering.keras import cluster_wrapper

    base = cluster_wrapper.ClusterWeightsRNN if recurrent else cluster_wrapper.ClusterWeights
    return _mend(base)


def _mend(base: Any) -> Any:
    class Wrapper(base):
        """tfmot's wrapper, with masks: it drops that of an Embedding, so that padding is read as
        words, and hands masks to layers that take none, which raise (tfmot 0.8.1).
        """

        def __init__(self, layer: Any, *arguments: Any, **named: Any) -> None:
            super().__init__(layer, *arguments, **named)
            self.supports_masking = layer.supports_masking

        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            lookup = _lookup_class()
            for name, centroids in self.cluster_centroids.items():
                self.clustering_algorithms[name] = lookup(centroids, self.preserve_sparsity)

        def call(self, inputs: Any, training: Any = None, **named: Any) -> Any:
            if not self.layer._call_spec.expects_mask_arg:
                named.pop("mask", None)
            return super().call(inputs, training, **named)

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return self.layer.compute_mask(inputs, mask)

    return Wrapper


@functools.cache
def _lookup_class() -> Any:
    import tensorflow as tf

    import_tfmot()
    from tensorflow_model_optimization.python.core.clustering.keras import (
        cluster_config,
        clustering_algorithm,
    )

    class Lookup(clustering_algorithm.ClusteringAlgorithm):
        """Nearest centroids by bisection, and a zero centroid that never moves.

        tfmot compares each weight with each centroid in every call: arrays of weights × centroids,
        twice. Its zero centroid is moved by every update, and is
        put back in the next call only: what is read in between has lost its zeros (tfmot 0.8.1).
        """

        def __init__(self, centroids: tf.Variable, preserve_sparsity: bool) -> None:
            super().__init__(centroids, cluster_config.GradientAggregation.SUM)
            start = centroids.numpy()
            free = start != 0 if preserve_sparsity else np.full(start.shape, True)
            self.free = tf.constant(free, centroids.dtype)

        def get_pulling_indices(self, weight: tf.Tensor, centroids: Any = None) -> tf.Tensor:
            values = self._values()
            order = tf.argsort(values, stable=True)
            ascending = tf.gather(values, order)
            middles = (ascending[1:] + ascending[:-1]) / 2
            places = tf.searchsorted(middles, tf.reshape(weight, [-1]))
            return tf.reshape(tf.cast(tf.gather(order, places), tf.int64), weight.shape)

        def get_clustered_weight(self, indices: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
            clustered = tf.gather(self._values(), indices)
            return self.add_gradient_to_original_weight(clustered, tf.identity(weight))

        def _values(self) -> tf.Tensor:
            return self.cluster_centroids * self.free

    return Lookup
