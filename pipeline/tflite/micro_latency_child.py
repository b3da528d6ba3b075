"""The child of `compare_latency`: `python -m pipeline.tflite.micro_latency_child TURNS FILE…`.

Milliseconds of each file go to stdout, as one JSON list.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from pipeline.tflite.micro_child import clear_input, room_for
from pipeline.tflite.turns import time_in_turn


def main(turns: int, paths: list[str]) -> None:
    """Times the files in turn; ends with 1 and the reason on stderr where one does not run."""
    try:
        times = time_in_turn([_invoker(path) for path in paths], turns)
    except Exception as error:
        sys.exit(f"\n{error}")
    sys.stdout.write(json.dumps(times) + "\n")


def _invoker(path: str) -> Callable[[], object]:
    from tflite_micro import runtime

    data = Path(path).read_bytes()
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=room_for(data))
    clear_input(interpreter)
    return interpreter.invoke


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
