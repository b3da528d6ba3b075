"""One file timed against another, on both runtimes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from pipeline.errors import ArtifactError, PromiseError
from pipeline.tflite import micro
from pipeline.tflite.micro import NOT_AVAILABLE
from pipeline.tflite.relative_latency import (
    RelativeLatency,
    compare_latency,
    describe_runtime,
    reason_without,
)
from tests.tflite.conftest import Converted

needs_micro = pytest.mark.skipif(
    importlib.util.find_spec("tflite_micro") is None, reason="tflite-micro is not installed"
)


def test_what_remains() -> None:
    assert RelativeLatency(ms=0.5, whole_ms=2.0).fraction == 0.25


def test_under_litert(converted: Converted) -> None:
    int8, float32 = converted.paths["int8"], converted.paths["float32"]
    found = compare_latency(int8, float32, "litert", turns=2)
    assert 0 < found.ms < 100 and 0 < found.whole_ms < 100
    assert describe_runtime("litert").startswith("ai-edge-litert 2.")
    with pytest.raises(ArtifactError, match="nowhere"):
        compare_latency(Path("nowhere.tflite"), float32, "litert", turns=1)


@needs_micro
def test_under_tflite_micro_in_a_child(converted: Converted) -> None:
    int8 = converted.paths["int8"]
    found = compare_latency(int8, int8, "tflite_micro", turns=3)
    assert 0.5 < found.fraction < 2, "the same file twice"
    assert reason_without("tflite_micro") is None
    assert describe_runtime("tflite_micro").startswith("tflite-micro ")


@needs_micro
def test_what_tflite_micro_does_not_run_is_told(converted: Converted) -> None:
    with pytest.raises(
        PromiseError, match=r"float16\.tflite: tflite-micro refuses it: .*DEQUANTIZE"
    ):
        compare_latency(
            converted.paths["float16"], converted.paths["int8"], "tflite_micro", turns=1
        )


def test_where_tflite_micro_is_not_installed(
    converted: Converted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(micro.importlib.util, "find_spec", lambda name: None)
    assert reason_without("litert") is None and reason_without("tflite_micro") == NOT_AVAILABLE
    with pytest.raises(PromiseError, match="not available here"):
        compare_latency(converted.paths["int8"], converted.paths["int8"], "tflite_micro", turns=1)
