"""Tries of the ladder: made once, taken up again after a kill, or passed over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, PromiseError
from pipeline.quantization import attempt as attempts
from pipeline.quantization.attempt import (
    Attempt,
    Change,
    Sources,
    try_after_training,
    try_with_training,
)
from pipeline.quantization.material import Material
from pipeline.quantization.source import model_as_it_is

MSE = Change("ranges of least squared error", {"ranges": {"kind": "mse"}})


@pytest.fixture
def material(gather: Callable[..., Material]) -> Material:
    return gather(method="auto", max_accuracy_drop=0.5)


def test_a_try_that_was_finished_is_taken_up_again(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = try_after_training("rung", MSE, Sources(material), material)
    row = first.to_json(material.settings)
    assert row["rung"] == "rung" and row["settings"] == {"ranges": {"kind": "mse"}}
    assert row["kept"] is True and row["reason"] is None and row["seconds"] > 0
    assert row["size_bytes"] == Path(str(first.path)).stat().st_size
    assert set(row) > {"gzip_bytes", "validation", "accuracy_drop", "tried"}

    convert = attempts._convert
    made: list[Any] = []

    def counted(*args: Any) -> Attempt:
        made.append(args[1])
        return convert(*args)

    monkeypatch.setattr(attempts, "_convert", counted)
    again = try_after_training("rung", MSE, Sources(material), material)
    assert (made, again.file, again.seconds) == ([], first.file, first.seconds)
    try_after_training("rung", Change("as it is"), Sources(material), material)
    assert len(made) == 1  # other settings are another try
    Path(str(first.path)).write_bytes(b"torn")
    third = try_after_training("rung", MSE, Sources(material), material)
    assert len(made) == 2 and third.file == first.file


def test_what_cannot_be_tried_is_passed_over_with_its_reason(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> Any:
        raise PromiseError("the converter refuses it")

    monkeypatch.setattr("pipeline.tflite.convert.convert", refuse)
    found = try_after_training("rung", MSE, Sources(material), material)
    row = found.to_json(material.settings)
    assert (row["kept"], row["reason"]) == (None, "the converter refuses it")
    assert "size_bytes" not in row
    # It may work the next time: nothing is remembered.
    monkeypatch.undo()
    assert try_after_training("rung", MSE, Sources(material), material).file is not None


def test_equalization_is_not_tried_where_kernels_share_values(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "_convert", None)
    clustered: Any = replace(material, clustered=("a kernel",))
    change = Change("layers equalized", {"cross_layer_equalization": True})
    found = try_after_training("rung", change, Sources(clustered), clustered)
    assert found.file is None and "would no longer be shared" in str(found.reason)


def test_training_with_quantization_that_is_impossible_is_passed_over(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> Any:
        raise ConfigError("no layer of 'net' can be trained with quantization")

    monkeypatch.setattr(attempts, "train_with_quantization", refuse)
    found = try_with_training("qat", material)
    assert found.reason == "no layer of 'net' can be trained with quantization"
    assert found.change.words == "10 epochs, learning from the float model too"


def test_what_training_made_is_converted_with_one_scale_per_kernel(
    gather: Callable[..., Material], monkeypatch: pytest.MonkeyPatch
) -> None:
    material = gather(
        method="auto", max_accuracy_drop=0.5, dense_scales="per_tensor",
        qat={"epochs": 1},
    )  # fmt: skip
    monkeypatch.setattr(
        attempts, "train_with_quantization", lambda material, _: model_as_it_is(material.model)
    )
    found = try_with_training("qat", material)
    assert found.file is not None and found.change.words == "1 epoch"
    # Not remembered: what the trained model answers is needed again.
    assert not list(material.work.rglob("attempt.json"))
