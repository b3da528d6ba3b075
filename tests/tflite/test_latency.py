"""Latency figures."""

from __future__ import annotations

import importlib.metadata

from pipeline.artifacts.fingerprint import cpu_name
from pipeline.tflite.latency import measure_latency
from tests.tflite.conftest import Converted


def test_figures_and_their_circumstances(converted: Converted) -> None:
    for name in ("float32", "int8"):
        figures = measure_latency(converted.paths[name], threads=2, runs=30, warmup=2)
        assert 0 < figures["median"] <= figures["p95"] < 1000
        assert (figures["runs"], figures["threads"]) == (30, 2)
        assert importlib.metadata.version("ai-edge-litert") in figures["runtime"]
        assert figures["cpu"] == cpu_name() != ""
