"""Features of layers that tfmot has wrapped: found by their own names, learned, resumed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from pipeline.bridge.clustering import cluster
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.learner import layers_by_name, make_crossed_learner
from pipeline.bridge.pruning import prune
from pipeline.bridge.qat import quantization_aware_train
from pipeline.config.cluster import ClusterConfig
from pipeline.config.distillation import Distillation
from pipeline.config.prune import PruneConfig
from pipeline.config.train import FineTuneConfig
from pipeline.data.prepared import PreparedData
from pipeline.errors import ConfigError
from pipeline.progress import SilentProgress
from tests.bridge.test_pruning import KillAfter, Killed

SETTINGS: dict[str, Any] = {
    "epochs": 2, "batch_size": 50, "optimizer": {"name": "adam", "learning_rate": 0.002},
}  # fmt: skip
FEATURES = {"layers": ["relu", "hidden"], "weight": 100.0}


def network(filters: int = 4, separable: bool = False) -> Any:
    """A convolution with its normalization, a layer with its own activation, dropout."""
    keras.utils.set_random_seed(2)
    layers = keras.layers
    make = layers.SeparableConv2D if separable else layers.Conv2D
    inputs = keras.Input((8, 8, 1), name="image")
    x = make(filters, 3, use_bias=False, name="conv")(inputs)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(name="norm")(x))
    x = layers.Dropout(0.2, name="drop")(layers.Flatten(name="flat")(x))
    x = layers.Dense(6, activation="relu", name="hidden")(x)
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="small")


def quantize(
    model: Any, data: PreparedData, folder: Path, progress: Any, **more: Any
) -> list[np.ndarray]:
    config = FineTuneConfig.model_validate({**SETTINGS, **more})
    where = (5, folder / "work", folder / "output", progress)
    result = quantization_aware_train(model, data, config, *where, teacher=network())
    return [np.array(weight) for weight in result._model.weights]


def make_sparse(
    model: Any, data: PreparedData, folder: Path, progress: Any, **more: Any
) -> list[np.ndarray]:
    config = PruneConfig.model_validate({**SETTINGS, **more})
    where = (5, folder / "work", folder / "output", progress)
    prune(model, data, config, *where, network())
    return list(model.get_weights())


def share(
    model: Any, data: PreparedData, folder: Path, progress: Any, **more: Any
) -> list[np.ndarray]:
    config = ClusterConfig.model_validate({**SETTINGS, "number_of_clusters": 4, **more})
    where = (5, folder / "work", folder / "output", progress)
    cluster(model, data, config, *where, network())
    return list(model.get_weights())


@pytest.mark.parametrize(("work", "filters"), [(make_sparse, 3), (share, 4), (quantize, 4)])
def test_wrapped_layers_learn_features_and_a_kill_changes_nothing(
    work: Callable[..., list[np.ndarray]], filters: int, tiny_data: PreparedData, tmp_path: Path
) -> None:
    """With 3 filters the teacher is wider, as behind `narrow`, and a projection is learned too."""
    taught = {"distillation": {"alpha": 0.0, "features": FEATURES}}
    with pytest.raises(Killed):
        work(network(filters), tiny_data, tmp_path / "killed", KillAfter(1), **taught)
    resumed = work(network(filters), tiny_data, tmp_path / "killed", SilentProgress(), **taught)
    alone = work(network(filters), tiny_data, tmp_path / "alone", SilentProgress(), **taught)
    assert len(alone) == len(resumed)
    for one, other in zip(resumed, alone, strict=True):
        np.testing.assert_array_equal(one, other)
    weak = {"distillation": {"alpha": 0.0, "features": {**FEATURES, "weight": 1e-6}}}
    plain = work(network(filters), tiny_data, tmp_path / "plain", SilentProgress(), **weak)
    assert not all(np.array_equal(a, b) for a, b in zip(alone, plain, strict=True))


def test_features_in_tf_keras_are_those_of_keras_3(tiny_data: PreparedData) -> None:
    model = network()
    crossed = to_tf_keras(model)
    distillation = Distillation.model_validate({"features": {"layers": ["relu", "hidden"]}})
    learner, asked = make_crossed_learner(crossed, model, distillation, 0, "prune")
    x = tiny_data.train.x[:4]
    ours = [np.array(values) for values in learner.inside(x, training=False)]
    for one, other in zip(ours, asked(x, training=False), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert list(layers_by_name(crossed)) == [layer.name for layer in model.layers]


def test_a_layer_that_tfmot_rewrites_is_refused_by_name(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    """tfmot 0.8.1 puts two convolutions in the place of a SeparableConv2D."""
    config = FineTuneConfig.model_validate(
        {**SETTINGS, "distillation": {"features": {"layers": ["conv"]}}}
    )
    where = (5, tmp_path / "work", tmp_path / "output", SilentProgress())
    teacher = network(separable=True)
    with pytest.raises(ConfigError, match=r"quantize\.qat\.distillation\.features\.layers: 'conv'"):
        quantization_aware_train(
            network(separable=True), tiny_data, config, *where, teacher=teacher
        )
