"""Times `.tflite` files in tflite-micro on the host, one invoke of each in turn.

    python benchmarks/micro_latency.py a.tflite b.tflite

A process of its own: tflite-micro aborts on what it does not know. Prints one JSON list: median
milliseconds of each file. In turn, so that a machine that slows down slows all of them.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

ARENA_BYTES, WARM_UP, RUNS = 4 << 20, 5, 100


def main() -> None:
    """Times the files of the command line."""
    from tflite_micro import runtime

    interpreters = []
    for path in sys.argv[1:]:
        interpreter = runtime.Interpreter.from_bytes(
            Path(path).read_bytes(), arena_size=ARENA_BYTES
        )
        details = interpreter.get_input_details(0)
        values = np.random.default_rng(0).integers(-128, 128, details["shape"])
        interpreter.set_input(values.astype(details["dtype"]), 0)
        interpreters.append(interpreter)
    times: list[list[float]] = [[] for _ in interpreters]
    for run in range(WARM_UP + RUNS):
        for place, interpreter in enumerate(interpreters):
            began = time.perf_counter()
            interpreter.invoke()
            if run >= WARM_UP:
                times[place].append(1000 * (time.perf_counter() - began))
    print(json.dumps([statistics.median(row) for row in times]))


if __name__ == "__main__":
    main()
