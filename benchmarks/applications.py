"""Every architecture of keras.applications through the bridge: parity, prune, int8, QAT.

    python benchmarks/applications.py                   # those up to 100 M parameters
    python benchmarks/applications.py --large           # those above
    python benchmarks/applications.py VGG16 --again     # measured anew
    python benchmarks/applications.py --table           # docs/applications.md from the JSON

Each step of each runs in a process of its own (applications_chain.py), the small ones first. A row
is added to applications.json when the last has ended, however it ended; started again, it goes on
with those that have no row. Rows of other library versions or of another machine are made again.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from applications_page import STEPS, make_page

from pipeline.artifacts.files import write_bytes_atomic, write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.child_process import child_environment
from pipeline.config.families import PREFIX, family_of
from pipeline.record import LIBRARIES, utc_now

FOLDER = Path(__file__).resolve().parent
RESULT, PAGE = FOLDER / "applications.json", FOLDER.parent / "docs/applications.md"
# Seconds: of a step's own computing; and by the clock, as the machine may have other work.
CPU_LIMIT, TIME_LIMIT = 3600, 4 * 3600
# Bytes: with less, the kernel may end what is not ours.
LEAST_AVAILABLE = 1_500_000_000
# One thread: the machine may have other work.
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1"}
# By the millions of parameters with ten classes at the smallest input, as measured.
ARCHITECTURES = (
    "MobileNetV3Small", "MobileNetV2", "MobileNet", "EfficientNetB0", "MobileNetV3Large",
    "NASNetMobile", "EfficientNetV2B0", "EfficientNetB1", "EfficientNetV2B1", "DenseNet121",
    "EfficientNetB2", "EfficientNetV2B2", "EfficientNetB3", "DenseNet169", "EfficientNetV2B3",
    "EfficientNetB4", "DenseNet201", "EfficientNetV2S", "Xception", "InceptionV3", "ResNet50V2",
    "ResNet50", "ConvNeXtTiny", "EfficientNetB5", "VGG16", "VGG19", "EfficientNetB6",
    "ResNet101V2", "ResNet101", "ConvNeXtSmall", "EfficientNetV2M", "InceptionResNetV2",
    "ResNet152V2", "ResNet152", "EfficientNetB7", "NASNetLarge", "ConvNeXtBase",
)  # fmt: skip
# Pixels where it is not the smallest input. At 32 the last maps of MobileNetV3 are single pixels,
# and behind them the converter leaves HARD_SWISH in float32 after QAT (tensorflow 2.21.0).
SIDES = {"MobileNetV3Small": 64, "MobileNetV3Large": 64}
LARGE = ("EfficientNetV2L", "ConvNeXtLarge", "ConvNeXtXLarge")


def read_result() -> dict[str, Any]:
    """Returns what was measured with these versions on this machine so far."""
    made_with = {"host": describe_host(), "versions": library_versions(LIBRARIES)}
    if RESULT.exists():
        found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
        if {name: found[name] for name in made_with} == made_with:
            return found
    return {**made_with, "rows": {}, "total": len(ARCHITECTURES + LARGE), "not_run": []}


def measure(name: str) -> dict[str, Any]:
    """Runs one architecture, step after step; returns its row, and how it ended if badly."""
    side = SIDES.get(name, family_of(PREFIX + name).smallest)
    began = time.monotonic()
    row: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder) / "row.json", Path(folder) / "log"
        for step in STEPS:
            left = TIME_LIMIT - (time.monotonic() - began)
            command = [sys.executable, str(FOLDER / "applications_chain.py"), name, str(side)]
            ended, peak = run_watched([*command, folder, step], log, left)
            row = json.loads(path.read_bytes()) if path.exists() else row
            if ended is not None:
                words = log.read_text(errors="replace").strip().rpartition("\n")[2][:300]
                row[step] = {"done": False, "reason": f"{ended}: {words}", "memory_bytes": peak}
                write_json_atomic(path, row)
            if step == "prune" and not row[step]["done"]:
                row["ended"] = "there is no pruned model"
                break
    return {"name": name, "side": side, **row, **total(row), "finished": utc_now()}


def total(row: dict[str, Any]) -> dict[str, Any]:
    """Sums up what the steps of a row took."""
    steps = [row[step] for step in STEPS if step in row]
    return {
        "processes": "a step",
        "seconds": round(sum(step.get("seconds", 0) for step in steps), 1),
        "cpu_seconds": round(sum(step.get("cpu_seconds", 0) for step in steps), 1),
        **{
            key: max(step.get(key, 0) for step in steps)
            for key in ("memory_bytes", "converter_memory_bytes")
        },
    }


def run_watched(command: list[str], log: Path, seconds: float) -> tuple[str | None, int]:
    """Runs a command; ends it when time or the machine's memory runs out.

    Returns:
        How it ended badly, or None; and the most memory it was seen to take, in bytes.
    """
    ended, peak, deadline = None, 0, time.monotonic() + seconds
    with log.open("wb") as output:
        child = subprocess.Popen(
            command, stdout=output, stderr=output, env=child_environment(**THREADS)
        )
        while child.poll() is None:
            time.sleep(0.5)
            peak = max(peak, resident_bytes(child.pid))
            if cpu_seconds(child.pid) > CPU_LIMIT:
                ended = f"more than {CPU_LIMIT} CPU s"
            elif time.monotonic() > deadline:
                ended = f"more than {TIME_LIMIT} s"
            elif available_bytes() < LEAST_AVAILABLE:
                ended = f"it had taken {peak / 1e9:.1f} GB when the machine had no more to give"
            if ended is not None:
                child.kill()  # its converter ends with it
                child.wait()
    if ended is None and child.returncode:
        code = child.returncode
        ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return ended, peak


def resident_bytes(pid: int) -> int:
    """Returns the resident memory of a process; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """Returns what a process has computed, without its children; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def available_bytes() -> int:
    """Returns the memory that the machine can still give."""
    text = Path("/proc/meminfo").read_text()
    return int(re.findall(r"MemAvailable:\s+(\d+) kB", text)[0]) * 1024


def add_row(name: str, row: dict[str, Any]) -> None:
    """Adds a row to what is there by now: two of these may run at once, with different names."""
    result = read_result()
    result["rows"][name] = row
    result["not_run"] = [each for each in ARCHITECTURES + LARGE if each not in result["rows"]]
    write_json_atomic(RESULT, result)
    print(json.dumps(row), flush=True)


def main() -> None:
    """Measures what is missing, or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("names", nargs="*", help="architectures; default: all up to 100 M")
    parser.add_argument("--large", action="store_true", help="those above 100 M parameters")
    parser.add_argument("--again", action="store_true", help="also those that have a row")
    parser.add_argument("--table", action="store_true", help="write the page, measure nothing")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - {*ARCHITECTURES, *LARGE}
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}: expected names of keras.applications")
    if not chosen.table:
        for name in chosen.names or (LARGE if chosen.large else ARCHITECTURES):
            if chosen.again or name not in read_result()["rows"]:
                add_row(name, measure(name))
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    write_bytes_atomic(PAGE, make_page(result).encode())


if __name__ == "__main__":
    main()
