"""Text models behind the bridge: pruned with recurrent dropout, trained with QAT."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.clustering import cluster
from pipeline.bridge.conversion import save_for_conversion
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.pruning import prune
from pipeline.bridge.qat import quantization_aware_train
from pipeline.bridge.state import random_states
from pipeline.config.cluster import ClusterConfig
from pipeline.config.prune import PruneConfig
from pipeline.config.train import FineTuneConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.errors import PromiseError
from pipeline.progress import SilentProgress
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.inspect import inspect
from pipeline.tflite.verify import check_dtypes, compare_outputs
from pipeline.tflite.verify_clusters import ClusteredKernel, check_clusters
from pipeline.tflite.worker import ConversionWorker
from tests.bridge.test_conversion import INT8, LENGTH, TASK, TOKENS, build

FINE_TUNE: dict[str, Any] = {
    "epochs": 2, "batch_size": 16, "optimizer": {"name": "adam", "learning_rate": 0.01},
}  # fmt: skip


@pytest.fixture(scope="module")
def texts() -> PreparedData:
    """The answer is whether an id below 5 is among the words."""
    rng = np.random.default_rng(5)

    def draw(count: int) -> Split:
        x = rng.integers(5, TOKENS, (count, LENGTH)).astype(np.int32)
        y = np.arange(count, dtype=np.int64) % 2
        x[y == 1, rng.integers(0, LENGTH, (y == 1).sum())] = rng.integers(0, 5, (y == 1).sum())
        return Split(x, y)

    splits = {"train": draw(64), "validation": draw(32)}
    return PreparedData(splits, TASK, (LENGTH,), input_dtype="int32")


def test_a_pruned_lstm_ends_in_one_operator_with_its_zeros(
    texts: PreparedData, converter: ConversionWorker, tmp_path: Path
) -> None:
    model = build("lstm")
    schedule = {"kind": "polynomial", "final_sparsity": 0.5, "end_step": "50%", "frequency": 2}
    settings = {**FINE_TUNE, "pruning_schedule": schedule, "distribution": "uniform"}
    config = PruneConfig.model_validate(settings)
    work, output = tmp_path / "work", tmp_path / "output"
    result = prune(model, texts, config, 5, work, output, SilentProgress())
    tensors = {(row["layer"], row["tensor"]): row["sparsity"] for row in result.layers}
    assert tensors[("lstm", "kernel")] == tensors[("lstm", "recurrent_kernel")] == 0.5
    assert ("embedding", "embeddings") in tensors
    save_for_conversion(model, tmp_path / "saved")
    request = ConversionRequest("float", "float32")
    path = convert(tmp_path / "saved", [request], None, tmp_path, converter)["float"]
    found = inspect(path)
    assert found.operators["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 1
    zeros = sum(row["zeros"] for row in result.layers)
    assert sum(weight.counts.zeros for weight in found.weights) >= zeros


def test_a_clustered_lstm_keeps_its_values_in_each_gate(
    texts: PreparedData, converter: ConversionWorker, tmp_path: Path
) -> None:
    model = build("lstm")
    config = ClusterConfig.model_validate({**FINE_TUNE, "epochs": 1, "number_of_clusters": 5})
    work, output = tmp_path / "work", tmp_path / "output"
    result = cluster(model, texts, config, 5, work, output, SilentProgress())
    rows = {(row["layer"], row["tensor"]): row for row in result.layers}
    assert {("embedding", "embeddings"), ("lstm", "kernel"), ("lstm", "recurrent_kernel")} < set(
        rows
    )
    assert {row["distinct"] for row in rows.values()} <= {4, 5}, "one may have lost its weights"
    save_for_conversion(model, tmp_path / "saved")
    requests = [ConversionRequest("float", "float32"), INT8]
    paths = convert(tmp_path / "saved", requests, texts.train.x[:], tmp_path, converter)
    kernels = [
        ClusteredKernel(layer, tensor, tuple(row["shape"]), 5, row["normalized"])
        for (layer, tensor), row in rows.items()
    ]
    for path in paths.values():
        check_clusters(path, kernels)
        harsher = [replace(k, number_of_clusters=2) for k in kernels if k.layer == "lstm"]
        with pytest.raises(PromiseError, match=r"different values in lstm/\w+, promised at most 2"):
            check_clusters(path, harsher)


def test_masks_of_recurrent_dropout_go_on_after_a_restart() -> None:
    """The cell's generator is among what a checkpoint holds, and moves with every pass."""
    crossed = to_tf_keras(build("lstm"), 5)
    before = [state.numpy() for state in random_states(crossed)]
    assert len(before) == 4  # spatial dropout, layer, cell, dropout
    first = np.asarray(crossed(np.ones((2, LENGTH), np.int32), training=True))
    for state, value in zip(random_states(crossed), before, strict=True):
        state.assign(value)
    again = np.asarray(crossed(np.ones((2, LENGTH), np.int32), training=True))
    np.testing.assert_array_equal(first, again)
    assert np.abs(again - np.asarray(crossed(np.ones((2, LENGTH), np.int32), training=True))).any()


@pytest.mark.parametrize("name", ["text_cnn", "lstm"])
def test_qat_trains_what_it_can_and_leaves_the_rest_to_the_converter(
    name: str, texts: PreparedData, converter: ConversionWorker, tmp_path: Path
) -> None:
    config = FineTuneConfig.model_validate(FINE_TUNE)
    work, output = tmp_path / "work", tmp_path / "output"
    result = quantization_aware_train(build(name), texts, config, 5, work, output, SilentProgress())
    left = {row["layer"] for row in result.left_to_converter}
    assert "logits" in result.quantized_layers
    assert {"embedding", "lstm" if name == "lstm" else "conv_2"} <= left
    result.save_for_conversion(tmp_path / "saved", 1)
    x = texts.train.x[:]
    path = convert(tmp_path / "saved", [INT8], x, tmp_path, converter)["int8"]
    check_dtypes(path, INT8)
    parity = compare_outputs(path, x, result.predict(x), TASK)
    assert parity["mean_difference"] < 0.1
    assert parity["label_agreement"] > 0.9
