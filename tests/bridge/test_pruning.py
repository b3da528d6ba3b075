"""Pruning over the bridge: sparsity, overrides, what is left alone, exact resume."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.pruning import PruneResult, prune
from pipeline.config.prune import PruneConfig
from pipeline.data.prepared import PreparedData
from pipeline.errors import ConfigError
from pipeline.progress import SilentProgress
from tests.bridge.bridge_models import chain_cnn, operators, shared_convolution

SETTINGS: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 16,
    "optimizer": {"name": "adam", "learning_rate": 0.005},
    "schedule": {"kind": "cosine"},
    "pruning_schedule": {
        "kind": "polynomial", "final_sparsity": 0.5, "begin_step": 2, "end_step": "50%",
        "frequency": 5,
    },
}  # fmt: skip
# All that has a state besides the weights: an average, which is masked too, and a plateau.
STATEFUL: dict[str, Any] = {
    "optimizer": {"name": "adam", "learning_rate": 0.005, "use_ema": True, "ema_momentum": 0.5},
    "schedule": {"kind": "reduce_on_plateau", "factor": 0.5, "patience": 1, "min_delta": 0.2},
    "layers": {"c2": {"final_sparsity": 0.75}, "logits": {"skip": True}},
}


class Killed(Exception):
    """Stands for SIGKILL after a checkpoint."""


class KillAfter(SilentProgress):
    """Stops the training when the given epoch is done and saved."""

    def __init__(self, epoch: int) -> None:
        self.epochs_left = epoch

    def advance(self, amount: int = 1, **figures: float) -> None:
        if figures:
            self.epochs_left -= 1
            if self.epochs_left == 0:
                raise Killed


def run(
    model: Any, data: PreparedData, folder: Path, progress: Any = None, **settings: Any
) -> PruneResult:
    config = PruneConfig.model_validate({**SETTINGS, **settings})
    progress = progress or SilentProgress()
    return prune(model, data, config, 5, folder / "work", folder / "output", progress)


@pytest.fixture(scope="module")
def pruned(
    tiny_data: PreparedData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, PruneResult, Path]:
    import keras

    keras.utils.set_random_seed(3)
    folder = tmp_path_factory.mktemp("pruned")
    model = chain_cnn()
    return model, run(model, tiny_data, folder, **STATEFUL), folder


def test_kernels_reach_their_targets_in_the_keras_3_model(
    pruned: tuple[Any, PruneResult, Path],
) -> None:
    import keras

    model, result, _ = pruned
    assert result.model is model and isinstance(model, keras.Model)
    zeros = {name: int(np.sum(model.get_layer(name).kernel.numpy() == 0)) for name in ("c1", "c2")}
    assert zeros == {"c1": 18, "c2": 162}
    assert [(row["layer"], row["zeros"], row["target"]) for row in result.layers] == [
        ("c1", 18, 0.5), ("c2", 162, 0.75),
    ]  # fmt: skip
    assert result.layers[0]["shape"] == [3, 3, 1, 4]


def test_what_is_left_dense_is_listed_with_its_reason(
    pruned: tuple[Any, PruneResult, Path],
) -> None:
    reasons = {entry["layer"]: entry["reason"] for entry in pruned[1].skipped}
    assert set(reasons) == {"n1", "d1", "logits"}
    assert reasons["logits"] == "skip: true in prune.layers"
    assert "depthwise" in reasons["d1"]
    assert set(pruned[1].dense_kernels) == {"d1", "logits"}, "n1 normalizes, it has no kernel"


def test_the_metrics_are_those_of_the_manifest(pruned: tuple[Any, PruneResult, Path]) -> None:
    model, result, _ = pruned
    metrics = result.metrics()
    assert metrics["sparsity"] == (18 + 162) / (36 + 216)
    assert metrics["overall_sparsity"] == (18 + 162) / model.count_params()
    assert metrics["crossing"]["layers"] == 9
    assert {"layers", "skipped", "history", "validation", "seconds"} <= set(metrics)
    assert metrics["validation"]["samples"] == 30


def test_the_schedule_that_ran_is_recorded(pruned: tuple[Any, PruneResult, Path]) -> None:
    with (pruned[2] / "output" / "schedule.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(28))
    assert float(rows[0]["learning_rate"]) == pytest.approx(0.005)
    assert float(rows[-1]["learning_rate"]) < 0.005, "the plateau has lowered it"
    sparsity = [float(row["target_sparsity"]) for row in rows]
    # Steps count from 1: masks change in steps 2, 7, 12 and, though out of turn, in the last, 14.
    changes = [n + 1 for n in range(1, 28) if sparsity[n] != sparsity[n - 1]]
    assert changes == [7, 12, 14]
    assert sparsity[-1] == pytest.approx((18 + 162) / (36 + 216))


def test_the_kept_epoch_is_at_the_final_sparsity(pruned: tuple[Any, PruneResult, Path]) -> None:
    result = pruned[1]
    assert len(result.history) == 4
    assert result.best_epoch >= 2  # end_step 14 lies in the second epoch of 7 steps
    best = result.history[result.best_epoch - 1]
    assert best["val_accuracy"] == max(row["val_accuracy"] for row in result.history[1:])
    assert result.validation["loss"] == best["val_loss"]


def test_a_killed_pruning_ends_with_the_same_bits(
    tiny_data: PreparedData, tmp_path: Path, pruned: tuple[Any, PruneResult, Path]
) -> None:
    import keras

    keras.utils.set_random_seed(3)
    model = chain_cnn()
    with pytest.raises(Killed):
        run(model, tiny_data, tmp_path, KillAfter(2), **STATEFUL)
    keras.utils.set_random_seed(99)  # a new process knows nothing of the old one's state
    restarted = keras.models.clone_model(model)
    restarted.set_weights(model.get_weights())
    result = run(restarted, tiny_data, tmp_path, **STATEFUL)
    for one, other in zip(restarted.weights, pruned[0].weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    timeless = [{k: v for k, v in row.items() if k != "seconds"} for row in result.history]
    assert timeless == [
        {k: v for k, v in row.items() if k != "seconds"} for row in pruned[1].history
    ]
    for name in ("schedule.csv",):
        mine, theirs = tmp_path / "output" / name, pruned[2] / "output" / name
        assert mine.read_bytes() == theirs.read_bytes()


def test_a_shared_layer_is_pruned_at_the_same_speed(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    schedule = {**SETTINGS["pruning_schedule"], "initial_sparsity": 0.3}
    run(shared_convolution(), tiny_data, tmp_path, epochs=2, pruning_schedule=schedule)
    with (tmp_path / "output" / "schedule.csv").open() as file:
        sparsity = [float(row["target_sparsity"]) for row in csv.DictReader(file)]
    changes = [n + 1 for n in range(1, 14) if sparsity[n] != sparsity[n - 1]]
    assert changes == [2, 7]  # end_step is 7; a wrapper's own count would be twice as fast


def test_operators_are_no_obstacle(tiny_data: PreparedData, tmp_path: Path) -> None:
    result = run(operators(), tiny_data, tmp_path, epochs=1)
    assert {row["layer"] for row in result.layers} == {"c1", "c2", "logits"}


def test_a_model_without_a_kernel_is_refused(tiny_data: PreparedData, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no layer of 'chain' can be pruned \(c1: skip"):
        run(chain_cnn(), tiny_data, tmp_path, layers={"*": {"skip": True}})


def own_model() -> Any:
    """Augmentation, a nested model, and a layer of the user's own with Dropout inside."""
    import keras

    from tests.bridge.own_layers import Block

    layers = keras.layers
    stem = keras.Sequential(
        [layers.Input((8, 8, 1)), layers.RandomFlip("vertical"),
         layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")],
        name="stem",
    )  # fmt: skip
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Flatten(name="flat")(Block(4, name="own")(stem(inputs)))
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="mine")


def test_a_users_own_model_is_pruned_inside_and_comes_back_after_a_kill_bit_for_bit(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    import keras

    from tests.bridge.own_layers import Block

    model = own_model()
    weights = model.get_weights()
    short: dict[str, Any] = {"epochs": 2, "distribution": "uniform"}
    result = run(model, tiny_data, tmp_path / "one", **short)
    pruned = {(row["layer"], row["tensor"]): row["sparsity"] for row in result.layers}
    assert pruned == dict.fromkeys(
        [("stem/conv", "kernel"), ("own", "first.kernel"), ("own", "second.kernel"),
         ("logits", "kernel")], 0.5,
    )  # fmt: skip
    model.save(tmp_path / "pruned.keras")
    loaded = keras.saving.load_model(tmp_path / "pruned.keras", custom_objects={"Block": Block})
    assert [layer.name for layer in loaded.layers] == ["image", "stem", "own", "flat", "logits"]
    assert np.mean(loaded.get_layer("stem").get_layer("conv").kernel.numpy() == 0) == 0.5
    other = own_model()
    other.set_weights(weights)
    with pytest.raises(Killed):
        run(other, tiny_data, tmp_path / "other", KillAfter(1), **short)
    keras.utils.set_random_seed(99)
    restarted = own_model()
    restarted.set_weights(weights)
    run(restarted, tiny_data, tmp_path / "other", **short)
    for one, again in zip(model.weights, restarted.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), again.numpy())
