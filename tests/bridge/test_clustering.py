"""Clustering over the bridge: few values, zeros kept, what is left alone, exact resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.clustering import ClusterResult, cluster, count_clusters
from pipeline.bridge.crossing import to_tf_keras
from pipeline.config.cluster import ClusterConfig
from pipeline.data.prepared import PreparedData
from pipeline.errors import PromiseError
from pipeline.progress import SilentProgress
from tests.bridge.bridge_models import chain_cnn, shared_convolution
from tests.bridge.test_pruning import KillAfter, Killed
from tests.bridge.test_qat import half_pruned

SETTINGS: dict[str, Any] = {
    "epochs": 3,
    "batch_size": 16,
    "optimizer": {"name": "adam", "learning_rate": 0.005},
    "number_of_clusters": 6,
}
# All that has a state besides the weights and centroids: an average and a plateau.
STATEFUL: dict[str, Any] = {
    "optimizer": {"name": "adam", "learning_rate": 0.005, "use_ema": True, "ema_momentum": 0.5},
    "schedule": {"kind": "reduce_on_plateau", "factor": 0.5, "patience": 1, "min_delta": 0.2},
    "layers": {"c2": {"number_of_clusters": 4}, "logits": {"skip": True}},
}


def run(
    model: Any, data: PreparedData, folder: Path, progress: Any = None, **settings: Any
) -> ClusterResult:
    config = ClusterConfig.model_validate({**SETTINGS, **settings})
    progress = progress or SilentProgress()
    return cluster(model, data, config, 5, folder / "work", folder / "output", progress)


@pytest.fixture(scope="module")
def clustered(
    tiny_data: PreparedData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, ClusterResult, Path]:
    folder = tmp_path_factory.mktemp("clustered")
    model = half_pruned()
    return model, run(model, tiny_data, folder, **STATEFUL), folder


def test_kernels_share_their_values_in_the_keras_3_model(
    clustered: tuple[Any, ClusterResult, Path],
) -> None:
    import keras

    model, result, _ = clustered
    assert result.model is model and isinstance(model, keras.Model)
    counts = {name: len(np.unique(model.get_layer(name).kernel)) for name in ("c1", "c2")}
    assert counts == {"c1": 6, "c2": 4}
    rows = [(row["layer"], row["distinct"], row["number_of_clusters"]) for row in result.layers]
    assert rows == [("c1", 6, 6), ("c2", 4, 4)]
    assert [row["normalized"] for row in result.layers] == [True, False]


def test_the_weights_were_trained(clustered: tuple[Any, ClusterResult, Path]) -> None:
    before = half_pruned()
    values = np.unique(clustered[0].get_layer("c1").kernel)
    assert set(values) - {0.0} and not set(values) - {0.0} & set(
        np.asarray(before.get_layer("c1").kernel).flat
    )
    assert not np.array_equal(clustered[0].get_layer("logits").bias, np.zeros(3))
    history = clustered[1].history
    assert history[-1]["loss"] < history[0]["loss"]


def test_zeros_stay_also_in_what_is_not_clustered(
    clustered: tuple[Any, ClusterResult, Path],
) -> None:
    kept = 0
    for one, other in zip(half_pruned().trainable_weights, clustered[0].trainable_weights,
                          strict=True):  # fmt: skip
        before, after = np.asarray(one), np.asarray(other)
        if before.ndim >= 2:
            assert (after[before == 0] == 0).all(), one.path
            kept += int((before == 0).sum())
    assert clustered[1].zeros == kept > 0


def test_what_is_left_alone_is_listed_with_its_reason(
    clustered: tuple[Any, ClusterResult, Path],
) -> None:
    reasons = {entry["layer"]: entry["reason"] for entry in clustered[1].skipped}
    assert set(reasons) == {"n1", "d1", "logits"}
    assert reasons["logits"] == "skip: true in cluster.layers"
    assert "depthwise" in reasons["d1"]
    assert clustered[1].free_kernels == ["d1", "logits"]


def test_the_metrics_are_those_of_the_manifest(clustered: tuple[Any, ClusterResult, Path]) -> None:
    metrics = clustered[1].metrics()
    assert {"layers", "skipped", "history", "seconds", "best_epoch"} < set(metrics)
    assert "model" not in metrics
    assert metrics["crossing"]["layers"] == 9
    assert metrics["validation"]["samples"] == 30
    best = metrics["history"][metrics["best_epoch"] - 1]
    assert metrics["validation"]["loss"] == best["val_loss"]


def test_the_figures_are_those_of_the_clustered_weights(
    tiny_data: PreparedData, clustered: tuple[Any, ClusterResult, Path]
) -> None:
    from pipeline.models.predict import predict_outputs

    outputs = predict_outputs(clustered[0], tiny_data.validation.x)
    right = (outputs.argmax(axis=1) == tiny_data.validation.y).mean()
    assert clustered[1].validation["accuracy"] == pytest.approx(right)


def test_a_killed_clustering_ends_with_the_same_bits(
    tiny_data: PreparedData, tmp_path: Path, clustered: tuple[Any, ClusterResult, Path]
) -> None:
    import keras

    with pytest.raises(Killed):
        run(half_pruned(), tiny_data, tmp_path, KillAfter(2), **STATEFUL)
    restarted = half_pruned()
    keras.utils.set_random_seed(99)  # a new process knows nothing of the old one's state
    result = run(restarted, tiny_data, tmp_path, **STATEFUL)
    for one, other in zip(restarted.weights, clustered[0].weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for one, other in zip(result.history, clustered[1].history, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_the_checkpoint_holds_centroids_and_their_labels(
    clustered: tuple[Any, ClusterResult, Path],
) -> None:
    from pipeline.training.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(clustered[2] / "work")
    assert checkpoint is not None
    arrays = [a for name, a in checkpoint.arrays.items() if name.startswith("model/")]
    assert {(6,), (4,)} <= {a.shape for a in arrays if a.dtype == np.float32}
    assert {(3, 3, 1, 4), (3, 3, 4, 6)} == {a.shape for a in arrays if a.dtype == np.int64}


def test_without_zeros_to_keep_all_values_are_free(tiny_data: PreparedData, tmp_path: Path) -> None:
    model = half_pruned()
    result = run(model, tiny_data, tmp_path, epochs=1, number_of_clusters=2,
                 cluster_centroids_init="linear", preserve_sparsity=False)  # fmt: skip
    assert result.zeros is None
    assert {row["distinct"] for row in result.layers} == {2}
    assert {row["zeros"] for row in result.layers} == {0}


def test_a_shared_layer_is_clustered_once(tiny_data: PreparedData, tmp_path: Path) -> None:
    result = run(shared_convolution(), tiny_data, tmp_path, epochs=1, number_of_clusters=4)
    rows = {row["layer"]: row["distinct"] for row in result.layers}
    assert rows == {"shared": 4, "logits": 4}


def test_too_many_values_break_the_promise() -> None:
    model = chain_cnn()
    plain = to_tf_keras(model)
    with pytest.raises(PromiseError, match="'c1' kernel has 36 different values, promised at mo"):
        count_clusters(model, plain, {"c1": 8})
    assert count_clusters(model, plain, {"c1": 36})[0]["parameters"] == 36
