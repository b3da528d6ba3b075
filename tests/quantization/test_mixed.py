"""The file of mixed precision: the budget is met on the file, or the nearest one is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, PromiseError
from pipeline.quantization.material import Material
from pipeline.quantization.mixed import make_mixed
from pipeline.quantization.source import source_after_training
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import read_model
from pipeline.tflite.inspect import kernels_by_operator


@pytest.fixture
def mixed(gather: Callable[..., Material]) -> Callable[..., tuple[Material, Path]]:
    """A material with a budget, and the SavedModel of its network."""

    def build(layers: dict[str, Any] | None = None, **budget: Any) -> tuple[Material, Path]:
        material = gather(schemes=("mixed",), mixed_precision=budget, layers=layers or {})
        material.output.mkdir(exist_ok=True)
        saved = material.work / "saved_model"
        source_after_training(material, False).save(saved, 1)
        return material, saved

    return build


def kernel_types(path: Path) -> list[str]:
    return [kernel.dtype for _, kernel in kernels_by_operator(read_model(path).main)]


def test_bytes_are_met_with_the_most_bits_that_fit(mixed: Any) -> None:
    material, saved = mixed(choices=("int2", "int8"), max_accuracy_drop=1.0)
    narrowest, path = make_mixed(saved, material)
    found = narrowest["mixed_precision"]
    assert [row["layer"] for row in found["layers"]] == ["hidden", "hidden_2", "logits"]
    assert {row["scheme"] for row in found["layers"]} <= {"int8", "int2"}
    assert kernel_types(path) == [row["scheme"] for row in found["layers"]]
    assert narrowest["gzip_bytes"] < found["reference"]["gzip_bytes"]
    assert narrowest["scheme"] == "int2" and narrowest["name"] == "mixed"

    budget = found["reference"]["gzip_bytes"] - 1
    material, saved = mixed(choices=("int2", "int8"), max_gzip_bytes=budget)
    row, path = make_mixed(saved, material)
    assert narrowest["gzip_bytes"] <= row["gzip_bytes"] <= budget
    assert row["mixed_precision"]["budget"] == {"max_gzip_bytes": budget}
    assert "int8" in kernel_types(path)
    assert path == material.output / "mixed.tflite"
    assert len(row["mixed_precision"]["tried"]) >= 2


def test_a_killed_measurement_goes_on_after_the_last_layer(
    mixed: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    material, saved = mixed(choices=("int2", "int8"), max_accuracy_drop=1.0)
    whole = make_mixed(saved, material)[0]
    killed = replace(material, work=tmp_path / "killed")
    (killed.work / "mixed").mkdir(parents=True)
    trials, kill_after = [], 2

    def counted(saved_model: Path, requests: Any, *rest: Any) -> Any:
        if requests[0].name == "trial":
            if len(trials) == kill_after:
                raise KeyboardInterrupt
            trials.append(requests[0].layers.patterns)
        return convert(saved_model, requests, *rest)

    monkeypatch.setattr("pipeline.tflite.convert.convert", counted)
    with pytest.raises(KeyboardInterrupt):
        make_mixed(saved, killed)
    kill_after = 100
    again = make_mixed(saved, killed)[0]
    assert len(trials) == len(set(trials)) == 4  # all in int8, and each of three layers in int2
    assert again["mixed_precision"] == whole["mixed_precision"]


def test_a_budget_that_cannot_be_met_leaves_the_best_file(mixed: Any) -> None:
    material, saved = mixed(choices=("int8", "int4"), max_gzip_bytes=10)
    with pytest.raises(PromiseError, match=r"no choice of bits keeps max_gzip_bytes 10; the best"):
        make_mixed(saved, material)
    assert kernel_types(material.failed / "mixed.tflite")
    assert not list(material.output.iterdir())


def test_integers_throughout_and_layers_of_the_users(mixed: Any) -> None:
    layers = {"logits": {"scheme": "int16x8"}}
    material, saved = mixed(
        layers, choices=("int8", "int4"), activations="int8", max_gzip_bytes=100_000
    )
    row, path = make_mixed(saved, material)
    # There is room enough: all keep the widest choice.
    assert {one["layer"]: one["scheme"] for one in row["mixed_precision"]["layers"]} == {
        "hidden": "int8", "hidden_2": "int8"
    }  # fmt: skip
    assert row["layers"][-1]["scheme"] == "int16x8"
    assert kernel_types(path) == ["int8"] * 3
    assert row["float_operators"] == []


def test_without_a_layer_to_choose_for_there_is_nothing_to_do(mixed: Any) -> None:
    material, saved = mixed({"*": {"scheme": "int8"}}, choices=("int8", "int4"), max_gzip_bytes=9)
    with pytest.raises(ConfigError, match="no layer has a kernel with more than one form"):
        make_mixed(saved, material)
