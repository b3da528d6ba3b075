"""How much RAM a `.tflite` file needs under TFLite Micro: the tensor arena."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pipeline
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
    if importlib.util.find_spec("tflite_micro") is None:
        return [(None, NOT_AVAILABLE)] * len(paths)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(Path(pipeline.__file__).parent.parent), os.getenv("PYTHONPATH")])
        ),
    }
    command = [sys.executable, "-P", "-m", "pipeline.tflite.micro_child"]
    command += [str(path.resolve()) for path in paths]
    try:
        child = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=environment,
            timeout=_TIME_LIMIT * len(paths),
            stdin=subprocess.DEVNULL,
        )
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
