"""The worst layers first, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import PromiseError
from pipeline.quantization import layer_errors
from pipeline.quantization.layer_errors import _samples_for, layer_notes, measure_file_layers
from pipeline.quantization.made import make_files
from pipeline.quantization.material import Material
from pipeline.tflite.flatbuffer import ModelFile, Subgraph, Tensor


def row(layer: str, own: float | None) -> dict[str, Any]:
    return {"layer": layer, "own_sqnr_db": own}


def test_a_layer_that_stands_out_is_told_with_the_median_of_the_others() -> None:
    layers = [row("conv", 12.3), row("a", 30.0), row("b", 36.0), row("c", 40.0), row("flat", None)]
    files: list[dict[str, Any]] = [
        {"name": "int8", "layer_errors": {"layers": layers, "outlier": "conv"}},
        {"name": "int16x8", "layer_errors": {"layers": layers, "outlier": None}},
        {"name": "float16", "layer_errors": None},
        {"name": "other", "layer_errors": {"reason": "no kernel for X"}},
    ]
    assert layer_notes(files) == [
        "int8: layer conv has the most quantization noise of its own: 12.3 dB, the others 36.0 dB "
        "(median)",
        "other: error per layer not measured: no kernel for X",
    ]


@pytest.mark.parametrize("trained", [False, True])
def test_what_keeps_layers_from_being_measured_is_told(
    gather: Callable[..., Material],
    trained: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    material = gather(schemes=("int8",))
    path = make_files(material).paths[0]

    def crash(*args: Any) -> Path:
        raise PromiseError("the converter crashed")

    monkeypatch.setattr(layer_errors, "convert_in_float", crash)
    found = measure_file_layers(path, tmp_path / "saved", trained, material)
    assert found == {"reason": "the converter crashed"}


@pytest.mark.parametrize(
    ("size", "batch", "samples"),
    [(1000, 1, 32), (4_000_000, 1, 10), (50_000_000, 1, 4), (4_000_000, 8, 16)],
)
def test_large_models_are_run_on_fewer_samples(size: int, batch: int, samples: int) -> None:
    none = np.zeros(0, np.float32)
    weights = np.zeros((7, 1_000_000), np.int8)
    tensors = (
        Tensor(0, "x", (batch, size), "int8", None, none, none, 0, 0, is_variable=False),
        Tensor(1, "w", weights.shape, "int8", weights, none, none, 0, 0, is_variable=False),
    )
    file = ModelFile((Subgraph(tensors, (), (0,), (0,)),), {0: "x"}, {0: "y"})
    assert _samples_for(file) == samples
