"""Which layers are clustered: the table, overrides, and the reasons for leaving one."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.bridge.clustering_plan import CLUSTERED_WEIGHTS, LEFT_FREE, choose_layers
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.start import import_tf_keras, import_tfmot
from pipeline.config.cluster import ClusterConfig
from pipeline.errors import ConfigError
from tests.bridge.bridge_models import chain_cnn
from tests.bridge.test_qat import half_pruned


def choose(model: Any, **settings: Any) -> tuple[dict[str, int], dict[str, str]]:
    """The number of clusters of each layer that is chosen, the reason of each other one."""
    chosen, skipped = choose_layers(to_tf_keras(model), ClusterConfig.model_validate(settings))
    return chosen, {entry["layer"]: entry["reason"] for entry in skipped}


def test_numbers_and_reasons_of_each_layer() -> None:
    chosen, reasons = choose(
        chain_cnn(), layers={"logits": {"skip": True}, "c2": {"number_of_clusters": 9}, "*": {
            "number_of_clusters": 5}}
    )  # fmt: skip
    assert chosen == {"c1": 5, "c2": 9}
    assert set(reasons) == {"n1", "d1", "logits"}
    assert reasons["logits"] == "skip: true in cluster.layers"
    assert "depthwise" in reasons["d1"]
    assert "no kernel" in reasons["n1"]


def test_kernels_with_fewer_weights_than_clusters_are_left() -> None:
    chosen, reasons = choose(half_pruned(), number_of_clusters=37)
    assert chosen == {"c2": 37}
    assert reasons["c1"] == "kernel has only 18 weights that are not zero"
    assert reasons["logits"] == "kernel has only 36 weights that are not zero"
    chosen, reasons = choose(half_pruned(), number_of_clusters=72, preserve_sparsity=False)
    assert chosen == {"c2": 72}
    assert reasons["logits"] == "kernel has only 72 weights"


def test_a_layer_that_runs_as_itself_is_left() -> None:
    import keras

    inputs = keras.Input((8, 4), name="x")
    x = keras.layers.MultiHeadAttention(2, 8, name="each")(inputs, inputs)
    chosen, reasons = choose(keras.Model(inputs, keras.layers.Dense(9, name="logits")(x)))
    assert chosen == {"logits": 16}
    assert reasons["each"].startswith("runs as itself: ")


def test_a_model_without_a_layer_to_cluster_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"no layer of 'chain' can be clustered \(c1: skip"):
        choose(chain_cnn(), layers={"*": {"skip": True}})
    frozen = chain_cnn()
    frozen.trainable = False
    with pytest.raises(ConfigError, match="c2: not trainable"):
        choose(frozen)


def test_the_table_is_what_tfmot_clusters() -> None:
    from tensorflow_model_optimization.python.core.clustering.keras.clustering_registry import (
        ClusteringRegistry,
    )

    import_tfmot()
    layers = import_tf_keras().layers
    for class_name, weights in CLUSTERED_WEIGHTS.items():
        cls = getattr(layers, class_name)
        if weights == ("kernel", "recurrent_kernel"):
            assert cls in ClusteringRegistry._SUPPORTED_RNN_LAYERS
        else:
            assert ClusteringRegistry._LAYERS_WEIGHTS_MAP[cls] == list(weights)
    for class_name in LEFT_FREE:
        cls = getattr(layers, class_name)
        assert not ClusteringRegistry._LAYERS_WEIGHTS_MAP.get(cls), class_name
    crossing = {"Conv3DTranspose", "LocallyConnected1D", "LocallyConnected2D"}
    known = {cls.__name__ for cls, names in ClusteringRegistry._LAYERS_WEIGHTS_MAP.items() if names}
    assert known - set(CLUSTERED_WEIGHTS) == crossing, "these do not cross the bridge"
