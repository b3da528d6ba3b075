"""Two phases: what each one trains, what is kept, and that a killed one goes on bit for bit."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.train import EarlyStopping, TrainConfig
from pipeline.config.transfer import TransferConfig
from pipeline.data.prepared import PreparedData
from pipeline.errors import ConfigError
from pipeline.progress import SilentProgress
from pipeline.training.fit import FitResult
from pipeline.training.transfer import (
    TransferResult,
    better_phase,
    check_unfreezing,
    find_layer,
    training_from,
    transfer,
)

HEAD = {"logits"}
SGD = OptimizerConfig(name="sgd", learning_rate=0.1)


def settings(unfreeze_from: str | None = "hid*", **options: Any) -> TrainConfig:
    second = {} if unfreeze_from is None else {"epochs": 2, "optimizer": SGD}
    own = TransferConfig(unfreeze_from=unfreeze_from, **second)
    return TrainConfig(epochs=2, batch_size=20, optimizer=SGD, transfer=own, **options)


def run(model: Any, data: PreparedData, config: TrainConfig, folder: Path) -> TransferResult:
    return transfer(
        model, HEAD, data, config, 3, folder / "work", folder / "output", SilentProgress()
    )


def weights(model: Any) -> dict[str, np.ndarray]:
    return {weight.path: weight.numpy() for weight in model.weights}


@pytest.fixture(scope="module")
def both(
    data: PreparedData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, TransferResult, Path, dict[str, np.ndarray]]:
    """A finished training of both phases: model, result, folder, weights before."""
    import keras

    keras.utils.set_random_seed(7)
    inputs = keras.Input((6,), name="input")
    x = keras.layers.Dense(5, name="stem")(inputs)
    x = keras.layers.BatchNormalization(name="normalization")(x)
    x = keras.layers.Dense(8, activation="relu", name="hidden")(x)
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(x), name="small")
    before = weights(model)
    folder = tmp_path_factory.mktemp("both")
    return model, run(model, data, settings(), folder), folder, before


def test_only_the_end_of_the_base_and_the_head_change(both: Any) -> None:
    model, _, _, before = both
    changed = {path for path, value in weights(model).items() if (value != before[path]).any()}
    assert changed == {"hidden/kernel", "hidden/bias", "logits/kernel", "logits/bias"}
    assert all(layer.trainable for layer in model.layers)  # prune goes on with all of it


def test_the_phases_are_told(both: Any) -> None:
    _, result, folder, _ = both
    assert result.phases == [
        {"phase": 1, "epochs_run": 2, "trained": 27, "kept": False},
        {"phase": 2, "epochs_run": 2, "trained": 27 + 48, "kept": True},
    ]
    assert [(row["epoch"], row["phase"]) for row in result.fit.history] == [
        (1, 1), (2, 1), (3, 2), (4, 2),
    ]  # fmt: skip
    assert (result.fit.best_epoch, result.fit.epochs_run) == (4, 4)
    with (folder / "output" / "history.csv").open() as file:
        assert [row["phase"] for row in csv.DictReader(file)] == ["1", "1", "2", "2"]
    with (folder / "output" / "schedule.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == [str(n) for n in range(20)]


def test_killed_in_the_second_phase_it_goes_on_bit_for_bit(
    both: Any, data: PreparedData, tmp_path: Path
) -> None:
    model, _, folder, before = both
    expected = weights(model)
    shutil.copytree(folder / "work", tmp_path / "work")
    (tmp_path / "work/phase_2/epoch-00000002.checkpoint").unlink()
    try:
        for weight in model.weights:
            weight.assign(before[weight.path])
        run(model, data, settings(), tmp_path)
        for path, value in weights(model).items():
            np.testing.assert_array_equal(value, expected[path], err_msg=path)
    finally:
        for weight in model.weights:
            weight.assign(expected[weight.path])


def test_without_unfreezing_there_is_one_phase(
    build: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    model = build()
    before = weights(model)
    result = run(model, data, settings(None), tmp_path)
    changed = {path for path, value in weights(model).items() if (value != before[path]).any()}
    assert changed == {"logits/kernel", "logits/bias"}
    assert [phase["kept"] for phase in result.phases] == [True]


def history(*values: float) -> FitResult:
    rows = [{"epoch": n, "val_loss": v, "val_accuracy": v} for n, v in enumerate(values, start=1)]
    best = 1 + int(np.argmin(values))
    return FitResult(rows, best, len(rows), {}, {}, 0.0, [])


def test_the_better_phase_is_kept_where_early_stopping_says_what_better_is() -> None:
    worse, better = history(0.5, 0.3), history(0.4, 0.2)
    loss = settings(early_stopping=EarlyStopping(monitor="val_loss"))
    assert better_phase([worse, better], loss) == 1
    assert better_phase([better, worse], loss) == 0
    assert better_phase([better, better], loss) == 0
    assert better_phase([better, worse], settings()) == 1
    accuracy = settings(early_stopping=EarlyStopping(monitor="val_accuracy"))
    low, high = replace(worse, best_epoch=2), replace(worse, best_epoch=1)
    assert better_phase([low, high], accuracy) == 1


def test_batch_normalization_of_the_base_stays_in_inference_mode(
    build: Callable[..., Any],
) -> None:
    model = build()
    with training_from(model, 0, HEAD):
        assert model.get_layer("hidden").trainable
        assert not model.get_layer("normalization").trainable
    assert model.get_layer("normalization").trainable


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("hiden", "'hiden' fits no layer; did you mean 'hidden'"),
        ("block_*", "'block_[*]' fits no layer; the model ends in .*logits"),
    ],
)
def test_a_layer_that_is_not_there(build: Callable[..., Any], pattern: str, words: str) -> None:
    with pytest.raises(ConfigError, match=rf"train.transfer.unfreeze_from: {words}"):
        find_layer(build(), pattern)


def test_a_layer_behind_which_nothing_is_left_to_train(build: Callable[..., Any]) -> None:
    model = build()
    words = "from 'activation' on the base has nothing to train; .* are hidden"
    with pytest.raises(ConfigError, match=words):
        check_unfreezing(model, find_layer(model, "activation"), HEAD)
