"""What a step minimizes, and how features are carried to a teacher's width."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from pipeline.config.distillation import Distillation
from pipeline.config.train import TrainConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.errors import ConfigError
from pipeline.progress import SilentProgress
from pipeline.tasks.task import Task
from pipeline.training.fit import fit
from pipeline.training.learner import Learner, make_learner
from pipeline.training.state import read_weights
from tests.training.test_fit import assert_same_bits, checkpoint_of


@pytest.fixture(scope="session")
def images(data: PreparedData) -> PreparedData:
    """The six numbers of each sample as rows of a picture."""

    def draw(split: Split) -> Split:
        x = np.zeros((len(split), 8, 8, 1), np.float32)
        x[:, 1:7, 1:7, 0] = split.x[:, :, None]
        return Split(x, split.y)

    splits = {name: draw(split) for name, split in data.splits.items()}
    return dataclasses.replace(data, splits=splits, input_shape=(8, 8, 1))


def network(filters: int = 4, units: int = 6, strides: int = 1) -> Any:
    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(filters, 3, strides=strides, name="conv")(inputs)
    x = layers.Dropout(0.2, name="drop")(layers.ReLU(name="relu")(x))
    x = layers.Dense(units, activation="relu", name="hidden")(layers.Flatten(name="flat")(x))
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="small")


def learner_of(
    model: Any, teacher: Any, layers: Any, section: str = "prune", **more: Any
) -> tuple[Learner, Any]:
    config = Distillation.model_validate({"features": {"layers": layers, **more}})
    own = {layer.name: layer for layer in model.layers}
    return make_learner(keras, model, own, teacher, config, 0, section)


def test_without_features_model_and_teacher_are_as_they_were() -> None:
    model, teacher = network(), network()
    own = {layer.name: layer for layer in model.layers}
    learner, asked = make_learner(keras, model, own, teacher, Distillation(), 0, "prune")
    assert asked is teacher and learner.inside is None
    assert [w is v for w, v in zip(learner.weights, model.trainable_variables, strict=True)]
    outputs, features = learner(np.zeros((2, 8, 8, 1), np.float32))
    assert outputs.shape == (2, 3) and features == []


def test_what_is_minimized_by_hand() -> None:
    distillation = Distillation.model_validate(
        {"alpha": 0.5, "features": {"layers": ["a", "b"], "weight": 3.0}}
    )
    learner = Learner(network(), distillation)
    outputs, teacher = np.float32([[1.0], [2.0]]), np.float32([[3.0], [2.0]])
    features = [np.float32([[0.0, 0.0], [1.0, 1.0]]), np.float32([[4.0], [4.0]])]
    shown = [np.float32([[2.0, 0.0], [1.0, 1.0]]), np.float32([[4.0], [6.0]])]
    found = learner.learned(
        Task("regression", 1), outputs, features, np.float32([10.0, 20.0]), [teacher, *shown]
    )
    # 0.5 · loss + 0.5 · (z - t)² + 3 · mean over both layers of their squared differences.
    np.testing.assert_allclose(found, [5 + 2 + 3 * (2 + 0) / 2, 10 + 0 + 3 * (0 + 4) / 2])


def test_features_of_equal_shapes_are_compared_as_they_are() -> None:
    model, teacher = network(), network()
    learner, asked = learner_of(model, teacher, ["relu", "hidden"])
    assert learner.projections == ()
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype(np.float32)
    _, features = learner(x)
    assert [tuple(f.shape) for f in features] == [(2, 6, 6, 4), (2, 6)]
    outputs, relu, _ = asked(x, training=False)
    np.testing.assert_array_equal(outputs, teacher(x))
    np.testing.assert_array_equal(relu, np.maximum(teacher.get_layer("conv")(x), 0))


def test_no_warning_reaches_the_screen(recwarn: pytest.WarningsRecorder) -> None:
    learner, asked = learner_of(network(), network(), ["conv"])
    x = np.zeros((2, 8, 8, 1), np.float32)
    learner(x)
    asked(x, training=False)
    assert [str(warning.message) for warning in recwarn] == []


def test_other_widths_get_a_projection_that_the_model_never_holds() -> None:
    model = network(filters=2, units=3)
    before = model.count_params()
    learner, _ = learner_of(model, network(), {"conv": "relu", "hidden": "hidden"})
    assert [tuple(v.shape) for v in learner.projections] == [(2, 4), (4,), (3, 6), (6,)]
    assert len(learner.weights) == len(model.trainable_variables) + 4
    _, features = learner(np.zeros((2, 8, 8, 1), np.float32))
    assert [tuple(f.shape) for f in features] == [(2, 6, 6, 4), (2, 6)]
    assert model.count_params() == before


def shared() -> Any:
    inputs = keras.Input((8, 8, 1), name="image")
    layer = keras.layers.Conv2D(1, 3, padding="same", name="twice")
    x = keras.layers.Flatten(name="flat")(layer(layer(inputs)))
    return keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))


@pytest.mark.parametrize(
    ("model", "layers", "section", "words"),
    [
        (lambda: network(strides=2), ["relu"], "distill",
         r"distill\.features\.layers: 'relu' gives 3×3×4, and the teacher's 'relu' 6×6×4; only"),
        (network, {"conv": "hidden"}, "narrow",
         r"narrow\.distillation\.features\.layers: 'conv' gives 6×6×4, and the teacher's"),
        (network, ["rlu"], "prune",
         r"prune\.distillation\.features\.layers: 'rlu' fits no layer .* did you mean 'relu'"),
        (shared, ["twice"], "prune", "the teacher's 'twice' is called 2 times, expected"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(
    model: Any, layers: Any, section: str, words: str
) -> None:
    teacher = model() if model is shared else network()
    with pytest.raises(ConfigError, match=words):
        learner_of(model(), teacher, layers, section)


def test_a_layer_of_numbers_that_are_no_floats_is_refused() -> None:
    inputs = keras.Input((4,), dtype="int32", name="tokens")
    x = keras.layers.Flatten(name="flat")(keras.layers.Embedding(5, 2, name="table")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))
    learner, _ = learner_of(model, model, ["table"])
    assert learner.inside is not None
    with pytest.raises(ConfigError, match=r"'tokens' \(InputLayer\) has no single output of numb"):
        learner_of(model, model, ["tokens"])


def test_a_kill_in_a_training_by_features_changes_nothing(
    images: PreparedData, tmp_path: Path
) -> None:
    """Projections and their place in the optimizer are part of the checkpoint."""
    keras.utils.set_random_seed(3)
    teacher = network()
    features = {"layers": ["relu", "hidden"], "loss": "cosine"}
    config = TrainConfig.model_validate(
        {
            "epochs": 2, "batch_size": 50, "mixed_precision": "bfloat16",
            "distillation": {"features": features}, "optimizer": {"name": "adam"},
        }
    )  # fmt: skip

    def train(work: Path, **more: Any) -> Any:
        keras.utils.set_random_seed(1)
        model = network(filters=2)
        where = (0, work, tmp_path / "output", SilentProgress())
        fit(model, images, config, *where, teacher=teacher, **more)
        return model

    train(tmp_path / "parts", stop_epoch=1)
    resumed, alone = train(tmp_path / "parts"), train(tmp_path / "alone")
    arrays = checkpoint_of(tmp_path / "alone").arrays
    assert {name for name in arrays if name.startswith("projection/")} == {
        "projection/00000", "projection/00001",
    }  # fmt: skip
    assert_same_bits(checkpoint_of(tmp_path / "parts").arrays, arrays)
    for one, other in zip(read_weights(resumed), read_weights(alone), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_student_comes_nearer_to_its_teacher(images: PreparedData, tmp_path: Path) -> None:
    keras.utils.set_random_seed(3)
    teacher = network()
    distances = {}
    for name, features in (("labels", None), ("features", {"layers": ["hidden"], "weight": 10.0})):
        keras.utils.set_random_seed(1)
        model = network()
        config = TrainConfig.model_validate(
            {
                "epochs": 3, "batch_size": 25, "distillation": {"alpha": 0.1, "features": features},
                "optimizer": {"name": "adam", "learning_rate": 0.01},
            }
        )  # fmt: skip
        where = (0, tmp_path / name, tmp_path / "output", SilentProgress())
        fit(model, images, config, *where, teacher=teacher)
        ours, theirs = (
            keras.Model(m.inputs, m.get_layer("hidden").output)(images.validation.x)
            for m in (model, teacher)
        )
        distances[name] = float(np.mean((ours - theirs) ** 2))
    assert distances["features"] < 0.5 * distances["labels"]
