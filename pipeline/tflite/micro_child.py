"""The child process of `measure_arenas`: `python -m pipeline.tflite.micro_child FILE…`.

TFLite Micro aborts the process when a model surprises it, so every file runs in a fork of this
small, single-threaded process. One JSON line per file goes to stdout.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from pipeline.tflite.reasons import last_meaningful_line

_TOTAL = re.compile(r"Arena allocation total (\d+) bytes")
_REFUSALS = (
    re.compile(r"Didn't find op for builtin opcode '(\w+)'"),
    re.compile(r"Failed to get registration from op code (\w+)"),
)
# Room to record in. Arenas of real boards are far smaller; twice the file covers large outputs.
_ROOM_BYTES = 16 << 20
# Allocations in an arena are aligned to this.
ARENA_STEP = 16


def main(paths: list[str]) -> None:
    """Measures each file in a fork and writes its line."""
    from tflite_micro import runtime  # before the forks, so that it is imported once

    for path in paths:
        data = Path(path).read_bytes()
        sys.stdout.write(json.dumps(measure(runtime, data)) + "\n")
        sys.stdout.flush()


def measure(runtime: Any, data: bytes) -> dict[str, int | str | None]:
    """Returns {"arena_bytes": bytes or None, "note": None or the reason} of one file."""
    room = room_for(data)
    code, text = _in_fork(runtime, data, room)
    found = _TOTAL.search(text)
    if code != 0 or found is None:
        return {"arena_bytes": None, "note": reason_of(code, text)}
    return {"arena_bytes": smallest_arena(runtime, data, int(found.group(1)), room), "note": None}


def smallest_arena(runtime: Any, data: bytes, recorded: int, room: int) -> int:
    """Returns the least bytes, to ARENA_STEP, in which the file runs.

    What the recording allocator reports leaves out memory that some kernels take only while they
    are prepared (per-channel FULLY_CONNECTED, tflite-micro 0.dev20261023182759), so the figure
    is proved by running the file in it, and searched for where it does not.

    Args:
        recorded: bytes that the allocator reported.
        room: bytes in which the file is known to run; never more is returned.
    """
    if _in_fork(runtime, data, recorded)[0] == 0:
        return recorded
    low, high = recorded, min(2 * recorded, room)
    while high < room and _in_fork(runtime, data, high)[0] != 0:
        low, high = high, min(2 * high, room)
    low, high = low // ARENA_STEP * ARENA_STEP, -(-high // ARENA_STEP) * ARENA_STEP
    while high - low > ARENA_STEP:
        middle = (low + high) // 2 // ARENA_STEP * ARENA_STEP
        if _in_fork(runtime, data, middle)[0] == 0:
            high = middle
        else:
            low = middle
    return high


def room_for(data: bytes) -> int:
    """Returns the bytes of an arena in which any reasonable model finds room."""
    return _ROOM_BYTES + 2 * len(data)


def _in_fork(runtime: Any, data: bytes, arena_size: int) -> tuple[int, str]:
    """Runs the model once in a fork; returns its exit code and what it wrote to stderr."""
    with tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            _run(runtime, data, arena_size, stderr)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stderr.seek(0)
        return code, stderr.read().decode("utf-8", "replace")


def _run(runtime: Any, data: bytes, arena_size: int, stderr: IO[bytes]) -> None:
    """In the fork: never returns, whatever happens."""
    code = 1
    try:
        os.dup2(stderr.fileno(), 2)
        interpreter = runtime.Interpreter.from_bytes(data, arena_size=arena_size)
        clear_input(interpreter)
        interpreter.invoke()
        interpreter.print_allocations()
        code = 0
    except BaseException as error:
        os.write(2, f"\n{error}\n".encode())
    finally:
        os._exit(code)


def clear_input(interpreter: Any) -> None:
    """Sets the first input to zeros: what the arena holds by chance is no valid token id."""
    details = interpreter.get_input_details(0)
    interpreter.set_input(np.zeros(details["shape"], details["dtype"]), 0)


def reason_of(code: int, text: str) -> str:
    """Says why a file did not run, from the exit code and what went to stderr."""
    for pattern in _REFUSALS:
        if found := pattern.search(text):
            return f"tflite-micro lacks the operator {found.group(1)}"
    if code < 0:
        return f"tflite-micro crashed ({signal.Signals(-code).name})"
    lines = [line for line in text.splitlines() if not line.startswith("[Recording")]
    telling = [line for line in lines if "failed to allocate tensors" not in line]
    return f"tflite-micro refuses it: {last_meaningful_line(chr(10).join(telling or lines))}"


if __name__ == "__main__":
    main(sys.argv[1:])
