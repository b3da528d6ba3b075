"""Preparation of raw input in the shipped program, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.tflite.run_model import prepare


def _sidecar(placement: str | None, dtype: str = "int8", scale: float | None = 0.5) -> dict:
    steps: dict[str, Any] | None = {"scale": [2.0, 4.0], "offset": -1.0, "placement": placement}
    tensor = {"dtype": dtype, "scale": scale, "zero_point": None if scale is None else -3}
    return {"preprocessing": steps if placement else None, "inputs": [tensor]}


def test_preprocessing_then_quantization() -> None:
    raw = np.array([[1, 1], [100, -100]])
    # (1·2 − 1) / 0.5 − 3 = −1; (1·4 − 1) / 0.5 − 3 = 3; the second row saturates.
    stored = prepare(raw, _sidecar("sidecar"))
    assert stored.dtype == np.int8
    assert stored.tolist() == [[-1, 3], [127, -128]]


def test_what_the_model_does_itself_is_not_done_twice() -> None:
    # 1 / 0.5 − 3.
    assert prepare(np.array([[1, 1]]), _sidecar("model")).tolist() == [[-1, -1]]
    assert prepare(np.array([[1, 1]]), _sidecar(None)).tolist() == [[-1, -1]]


def test_float_models_take_real_values() -> None:
    stored = prepare(np.array([[1, 1]]), _sidecar("sidecar", "float32", None))
    assert stored.dtype == np.float32
    assert stored.tolist() == [[1.0, 3.0]]
