"""How long one invoke of a `.tflite` file takes on this machine."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.fingerprint import cpu_name
from pipeline.tflite.interpreter import Interpreter, TensorDescription, load
from pipeline.tflite.turns import time_runs

_SEED = 0


def measure_latency(
    path: Path, threads: int = 1, runs: int = 200, warmup: int = 20
) -> dict[str, Any]:
    """Times single invokes with the file's own batch, inputs already in place.

    Args:
        path: the file.
        threads: of the runtime, at least 1.
        runs: invokes that are timed, at least 1.
        warmup: invokes before them, at least 0.

    Returns:
        "median" and "p95" in milliseconds per invoke, "runs", "threads", "runtime", "cpu".

    Raises:
        ArtifactError: the file does not run.
    """
    interpreter = load_with_inputs(path, threads)
    for _ in range(warmup):
        interpreter.invoke()
    times = time_runs(interpreter.invoke, runs)
    return {
        "median": float(np.median(times)),
        "p95": float(np.percentile(times, 95)),
        "runs": runs,
        "threads": threads,
        "runtime": f"ai-edge-litert {importlib.metadata.version('ai-edge-litert')} (XNNPACK)",
        "cpu": cpu_name(),
    }


def load_with_inputs(path: Path, threads: int) -> Interpreter:
    """Loads a file and gives it inputs, so that nothing but invokes is timed.

    Raises:
        ArtifactError: the file does not load.
    """
    interpreter = load(path, threads)
    generator = np.random.default_rng(_SEED)
    interpreter.set_inputs(
        {description.name: _plausible(description, generator) for description in interpreter.inputs}
    )
    return interpreter


def _plausible(description: TensorDescription, generator: np.random.Generator) -> np.ndarray:
    """Real values in [0, 1), which no runtime can skip as zeros or slow down as denormals."""
    return generator.random(description.shape, dtype=np.float32)
