"""The arena under TFLite Micro."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from pipeline.errors import ArtifactError
from pipeline.tflite import micro
from pipeline.tflite.micro import NOT_AVAILABLE, measure_arena, measure_arenas
from tests.tflite.conftest import Converted

needs_micro = pytest.mark.skipif(
    importlib.util.find_spec("tflite_micro") is None, reason="tflite-micro is not installed"
)


@needs_micro
def test_arenas_of_several_files(converted: Converted) -> None:
    names = ["int8", "float32", "float16", "int16x8", "int4"]
    found = measure_arenas([converted.paths[name] for name in names])
    int8, float32, float16, int16x8, int4 = found
    assert int8[1] is float32[1] is int16x8[1] is None
    assert int8[0] is not None and float32[0] is not None and int16x8[0] is not None
    # conv (512) and depthwise (288 bytes) live at the same time, plus what the operators keep.
    assert 800 < int8[0] < 8000
    assert int8[0] < int16x8[0] < float32[0]
    assert float16[0] is None
    assert float16[1] is not None and "DEQUANTIZE" in float16[1]
    # No kernel there for float activations and integer weights.
    assert int4[0] is None
    assert int4[1] is not None and "CONV_2D" in int4[1]


@needs_micro
def test_a_file_that_is_no_model_does_not_take_the_others_down(
    converted: Converted, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"x" * 2000)
    results = measure_arenas([broken, converted.paths["int8"]])
    assert results[0][0] is None and results[0][1]
    assert results[1][0] is not None


def test_where_tflite_micro_is_not_installed(
    converted: Converted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(micro.importlib.util, "find_spec", lambda name: None)
    assert measure_arena(converted.paths["int8"]) == (None, NOT_AVAILABLE)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such file"):
        measure_arena(tmp_path / "nowhere.tflite")
