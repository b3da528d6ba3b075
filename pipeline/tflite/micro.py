"""How much RAM a `.tflite` file needs under TFLite Micro: the tensor arena."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.child_process import child_environment
from pipeline.errors import ArtifactError

Arena = tuple[int | None, str | None]
_TIME_LIMIT = 120.0
NOT_AVAILABLE = "tflite-micro is not available here (Linux x86-64 only)"


def measure_arenas(paths: Sequence[Path]) -> list[Arena]:
    """Measures several files in one child process (0.7 s to start, then 20 ms a file).

    Args:
        paths: the files.

    Returns:
        Per file (arena bytes, None), or (None, why the file does not run there). The bytes are
        what the recording allocator reports on the host (64 bit), checked by running the file
        once more in an arena of just that size; on a 32-bit device it takes less.

    Raises:
        ArtifactError: a file is missing.
    """
    for path in paths:
        if not path.is_file():
            raise ArtifactError(f"{path}: no such file; expected a .tflite file")
    if not is_available():
        return [(None, NOT_AVAILABLE)] * len(paths)
    try:
        child = run_child("micro_child", paths, _TIME_LIMIT * len(paths))
    except subprocess.TimeoutExpired:
        return [(None, f"tflite-micro took longer than {_TIME_LIMIT:g} s a file")] * len(paths)
    results = [json.loads(line) for line in child.stdout.splitlines()]
    missing = (None, f"tflite-micro ended with exit code {child.returncode}")
    return [(result["arena_bytes"], result["note"]) for result in results] + [missing] * (
        len(paths) - len(results)
    )


def measure_arena(path: Path) -> Arena:
    """Measures one file; see `measure_arenas`."""
    return measure_arenas([path])[0]


def is_available() -> bool:
    """Tells whether tflite-micro is installed."""
    return importlib.util.find_spec("tflite_micro") is not None


def run_child(
    module: str, paths: Iterable[Path], time_limit: float, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Runs a module of this package in a child: TFLite Micro aborts its process when surprised.

    Args:
        module: its name.
        paths: of files, after the other arguments.
        time_limit: in seconds.
        arguments: of the child.

    Raises:
        subprocess.TimeoutExpired: it took longer.
    """
    command = [sys.executable, "-P", "-m", f"pipeline.tflite.{module}", *arguments]
    return subprocess.run(
        [*command, *(str(path.resolve()) for path in paths)],
        capture_output=True,
        text=True,
        env=child_environment(),
        timeout=time_limit,
        stdin=subprocess.DEVNULL,
    )
