"""What fraction of one file's latency another one takes, on this machine and one runtime."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.errors import PromiseError
from pipeline.tflite import micro
from pipeline.tflite.latency import load_with_inputs
from pipeline.tflite.micro_child import reason_of
from pipeline.tflite.turns import time_in_turn

Runtime = Literal["litert", "tflite_micro"]
TURNS = 9
_TIME_LIMIT = 600.0


@dataclass(frozen=True)
class RelativeLatency:
    """Both files, timed in turn by one thread.

    Attributes:
        ms: of an invoke of the file.
        whole_ms: of an invoke of the file that it is compared with.
    """

    ms: float
    whole_ms: float

    @property
    def fraction(self) -> float:
        """What remains of the latency."""
        return self.ms / self.whole_ms


def compare_latency(
    path: Path, whole: Path, runtime: Runtime, turns: int = TURNS
) -> RelativeLatency:
    """Times two files against each other; see `turns.time_in_turn`.

    Args:
        path: the file.
        whole: the file that it is compared with.
        runtime: that runs them.
        turns: of each file.

    Raises:
        ArtifactError: a file does not load.
        PromiseError: tflite-micro is not there, or does not run a file.
    """
    return RelativeLatency(*time_files([path, whole], runtime, turns))


def time_files(paths: Sequence[Path], runtime: Runtime, turns: int = TURNS) -> list[float]:
    """Times files in turn on one thread; returns milliseconds of an invoke of each.

    Args:
        paths: the files.
        runtime: that runs them.
        turns: of each file.

    Raises:
        ArtifactError: a file does not load.
        PromiseError: tflite-micro is not there, or does not run a file.
    """
    if runtime == "tflite_micro":
        return _time_in_micro(paths, turns)
    loaded = [load_with_inputs(file, threads=1) for file in paths]
    return time_in_turn([one.invoke for one in loaded], turns)


def describe_runtime(runtime: Runtime) -> str:
    """Returns its name and version."""
    names = {"litert": "ai-edge-litert", "tflite_micro": "tflite-micro"}
    return f"{names[runtime]} {importlib.metadata.version(names[runtime])}"


def reason_without(runtime: Runtime) -> str | None:
    """Says why a runtime cannot be had on this machine, None if it can."""
    missing = runtime == "tflite_micro" and not micro.is_available()
    return micro.NOT_AVAILABLE if missing else None


def _time_in_micro(paths: Sequence[Path], turns: int) -> list[float]:
    if (reason := reason_without("tflite_micro")) is not None:
        raise PromiseError(reason)
    try:
        child = micro.run_child("micro_latency_child", paths, _TIME_LIMIT, str(turns))
    except subprocess.TimeoutExpired as error:
        raise PromiseError(f"tflite-micro took longer than {_TIME_LIMIT:g} s") from error
    if child.returncode != 0:
        raise PromiseError(f"{paths[0].name}: {reason_of(child.returncode, child.stderr)}")
    return [float(value) for value in json.loads(child.stdout.splitlines()[-1])]
