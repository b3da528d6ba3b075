"""The whole of it on tiny data: targets, distributions, refusals, resuming."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from pipeline.config.narrow import NarrowConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.errors import ConfigError, PromiseError, TrainingError
from pipeline.narrowing import narrow as narrowing
from pipeline.narrowing.narrow import NarrowResult, narrow
from pipeline.progress import SilentProgress
from pipeline.tflite.inspect import inspect
from pipeline.tflite.relative_latency import RelativeLatency
from pipeline.tflite.worker import ConversionWorker


def model() -> Any:
    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(6, 3, padding="same", name="c1")(inputs)
    x = layers.ReLU(name="a1")(layers.BatchNormalization(name="n1")(x))
    x = layers.MaxPooling2D(name="p1")(x)
    x = layers.Conv2D(8, 3, activation="relu", name="c2")(x)
    x = layers.Dense(12, activation="relu", name="hidden")(layers.Flatten(name="flat")(x))
    return keras.Model(inputs, layers.Dense(3, name="logits")(x), name="tiny")


def run(data: PreparedData, folder: Path, worker: Any = None, **values: Any) -> NarrowResult:
    keras.utils.set_random_seed(1)
    config = NarrowConfig.model_validate({"epochs": 1, "min_channels": 2, "samples": 30, **values})
    (folder / "work").mkdir(exist_ok=True)
    (folder / "output").mkdir(exist_ok=True)
    where = (0, folder / "work", folder / "output", SilentProgress())
    return narrow(model(), data, config, *where, converter=lambda: worker)


def test_sensitivity_and_taylor_meet_a_target_in_macs(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    result = run(tiny_data, tmp_path, epochs=2, importance="taylor")
    figures = result.metrics()
    macs = figures["macs"]
    assert macs["before"] == 64 * 9 * 6 + 4 * 9 * 6 * 8 + 32 * 12 + 12 * 3
    # One more filter of c1, the dearest unit, would be too many.
    assert 0.5 * macs["before"] - (64 * 9 + 4 * 9 * 8) < macs["after"] <= 0.5 * macs["before"]
    rows = {row["layer"]: row for row in figures["layers"]}
    assert {name: row["reason"] for name, row in rows.items()} == {
        "c1": None, "c2": None, "hidden": None, "logits": "is an output of the model",
    }  # fmt: skip
    for name, row in rows.items():
        assert result.model.get_layer(name).output.shape[-1] == row["after"]
    for group in figures["groups"]:
        (name,) = group["layers"]
        assert rows[name]["before"] - rows[name]["after"] == group["removed"]
        assert len(group["loss_rise"]) == 4
    assert len(figures["history"]) == 2 and figures["proof"]["max_relative_difference"] < 1e-4
    assert (tmp_path / "output" / "history.csv").is_file()


def test_uniform_and_norms_meet_a_target_in_parameters(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    result = run(
        tiny_data, tmp_path, target={"parameters": 0.4}, importance="l2",
        distribution="uniform", samples=None,
    )  # fmt: skip
    figures = result.metrics()
    assert figures["parameters"]["after"] == result.model.count_params()
    assert 0.3 < figures["parameters"]["after"] / figures["parameters"]["before"] <= 0.4
    removed = [group["removed"] / group["units"] for group in figures["groups"]]
    assert max(removed) - min(removed) < 0.2
    assert all(group["loss_rise"] == [] for group in figures["groups"])


def test_batch_norm_narrows_what_is_normalized(tiny_data: PreparedData, tmp_path: Path) -> None:
    result = run(tiny_data, tmp_path, importance="batch_norm", target={"macs": 0.6})
    rows = {row["layer"]: row for row in result.layers}
    assert rows["c1"]["after"] < 6 and rows["c2"]["after"] == 8
    assert rows["c2"]["reason"] == "no batch_norm tells its channels apart"


def test_skipped_layers_and_small_ones_keep_all(tiny_data: PreparedData, tmp_path: Path) -> None:
    result = run(
        tiny_data, tmp_path, layers={"c1": {"skip": True}}, min_channels=8,
        target={"parameters": 0.9},
    )  # fmt: skip
    reasons = {row["layer"]: row["reason"] for row in result.layers}
    assert reasons["c1"] == "c1 is skipped"
    assert reasons["c2"] == "has no more than 8 channels"


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"layers": {"conv_*": {"skip": True}}}, ConfigError, r"narrow\.layers: the pattern 'conv"),
        ({"target": {"macs": 0.01}}, PromiseError, r"target\.macs 0\.01 cannot be met: 0\.\d+ rem"),
        (
            {"layers": {"*": {"skip": True}}},
            PromiseError,
            "1.000 remain with min_channels 2 in every layer that may be narrowed .none.",
        ),
    ],
)
def test_what_cannot_be_done_is_told(
    tiny_data: PreparedData, tmp_path: Path, values: Any, error: Any, words: str
) -> None:
    with pytest.raises(error, match=words):
        run(tiny_data, tmp_path, importance="l1", **values)


def test_batch_norm_without_any_is_refused(tiny_data: PreparedData, tmp_path: Path) -> None:
    dense = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3, name="logits")]
    )
    config = NarrowConfig(importance="batch_norm")
    with pytest.raises(ConfigError, match="batch_norm needs BatchNormalization layers with gamma"):
        narrow(dense, tiny_data, config, 0, tmp_path, tmp_path, SilentProgress())


def test_a_count_above_the_target_is_a_broken_promise() -> None:
    counted = {"macs": {"before": 100, "after": 51}}
    with pytest.raises(PromiseError, match=r"51 of 100 macs remain, expected at most 0\.5 of them"):
        narrowing._check_target(counted, NarrowConfig())  # type: ignore[arg-type]


def test_a_loss_that_is_not_finite_names_this_stage(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    train = Split(np.full_like(tiny_data.train.x, np.nan), tiny_data.train.y)
    broken = dataclasses.replace(tiny_data, splits={**tiny_data.splits, "train": train})
    with pytest.raises(TrainingError, match=r"^narrow: .* lower optimizer\.learning_rate"):
        run(broken, tmp_path, importance="l1")


def test_killed_while_fine_tuning_it_goes_on_bit_for_bit(
    tiny_data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, killed = tmp_path / "alone", tmp_path / "killed"
    alone.mkdir(), killed.mkdir()
    expected = run(tiny_data, alone, epochs=2, importance="l1")

    class Killed(Exception):
        pass

    def stop_after_one(*given: Any, **options: Any) -> Any:
        def on_epoch(row: dict[str, float]) -> None:
            raise Killed

        return fit(*given, **options, on_epoch=on_epoch)

    fit = narrowing.fit
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(narrowing, "fit", stop_after_one)
        run(tiny_data, killed, epochs=2, importance="l1")
    resumed = run(tiny_data, killed, epochs=2, importance="l1")
    for one, other in zip(expected.model.weights, resumed.model.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_target_in_latency_is_measured_on_int8_files(
    tiny_data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that follows the multiply-accumulates in the files, on any machine alike."""
    timed: list[str] = []

    def compare(path: Path, whole: Path, runtime: str, turns: int) -> RelativeLatency:
        timed.append(path.stem)
        return RelativeLatency(inspect(path).total_macs, inspect(whole).total_macs)

    monkeypatch.setattr("pipeline.narrowing.int8_files.compare_latency", compare)
    monkeypatch.setattr("pipeline.narrowing.latency_target.BISECTIONS", 2)
    how: dict[str, Any] = {
        "target": {"latency": 0.6}, "distribution": "uniform", "samples": None,
    }  # fmt: skip
    with ConversionWorker() as worker:
        result = run(tiny_data, tmp_path, worker, **how)
        first = list(timed)
        timed.clear()
        again = run(tiny_data, tmp_path, worker, **how)
    latency = result.metrics()["latency"]
    assert latency["target"] == 0.6 and latency["final"]["fraction"] == latency["chosen"]
    assert latency["tried"][0]["fraction"] <= 0.6
    assert first == ["tried"] * len(latency["tried"]) + ["narrowed"]
    macs = result.metrics()["macs"]
    assert macs["after"] / macs["before"] == pytest.approx(latency["chosen"])
    assert timed == ["narrowed"], "what was chosen is kept, the promise is measured anew"
    assert again.metrics()["latency"] == latency
