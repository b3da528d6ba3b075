"""Wall time of `slimline run configs/digits.yaml` against benchmarks/plain_digits.py.

    .venv/bin/python benchmarks/chain_overhead.py            # 5 interleaved pairs

Each run is a fresh process on an empty artifacts folder. Writes benchmarks/chain_overhead.json:
both times of each pair, and the median of the ratios (below 1: slimline is faster).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.record import LIBRARIES

ROOT = Path(__file__).resolve().parent.parent


def time_slimline() -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pipeline", "run", str(ROOT / "configs/digits.yaml")]
        return time_command([*command, "--artifacts", folder])


def time_plain() -> float:
    return time_command([sys.executable, str(ROOT / "benchmarks/plain_digits.py")])


def time_command(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    pairs = []
    for number in range(parser.parse_args().pairs):
        # Each goes first in turn, so that a machine that warms up or slows down favours neither.
        order = (time_slimline, time_plain) if number % 2 else (time_plain, time_slimline)
        times = {measure.__name__.removeprefix("time_"): measure() for measure in order}
        pairs.append(times)
        print(json.dumps(times), flush=True)
    result = {
        "pairs": pairs,
        "median_ratio": statistics.median(pair["slimline"] / pair["plain"] for pair in pairs),
        "host": describe_host(),
        "versions": library_versions(LIBRARIES),
    }
    write_json_atomic(ROOT / "benchmarks/chain_overhead.json", result)
    print(f"median ratio slimline / plain: {result['median_ratio']:.2f}")


if __name__ == "__main__":
    main()
