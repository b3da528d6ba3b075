"""Every architecture of keras.applications through the bridge: parity, prune, int8, QAT.

    python benchmarks/applications.py                   # those up to 100 M parameters
    python benchmarks/applications.py --large           # those above
    python benchmarks/applications.py VGG16 --again     # measured anew
    python benchmarks/applications.py --table           # docs/applications.md from the JSON

Each runs in a process of its own (applications_chain.py), the small ones first. A row is added to
applications.json when its process ends, however it ends; started again, it goes on with those
that have no row. Rows of other library versions or of another machine are made again.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from applications_page import make_page

from pipeline.artifacts.files import write_bytes_atomic, write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.child_process import child_environment
from pipeline.config.families import PREFIX, family_of
from pipeline.record import LIBRARIES

FOLDER = Path(__file__).resolve().parent
RESULT, PAGE = FOLDER / "applications.json", FOLDER.parent / "docs/applications.md"
TIME_LIMIT = 3600
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
    """Runs one architecture in a child; returns its row, and how the child ended if badly."""
    side = SIDES.get(name, family_of(PREFIX + name).smallest)
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder) / "row.json", Path(folder) / "log"
        command = [sys.executable, str(FOLDER / "applications_chain.py"), name, str(side), path]
        ended = None
        with log.open("wb") as output:
            try:
                code = subprocess.run(
                    command, stdout=output, stderr=output, env=child_environment(**THREADS),
                    timeout=TIME_LIMIT, check=False,
                ).returncode  # fmt: skip
                if code:
                    ended = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            except subprocess.TimeoutExpired:
                ended = f"more than {TIME_LIMIT} s"
        row: dict[str, Any] = json.loads(path.read_bytes()) if path.exists() else {"name": name}
        if ended is not None:
            words = log.read_text(errors="replace").strip().rpartition("\n")[2][:300]
            row["ended"] = f"{ended} during {row.get('doing', 'build')}: {words}"
    return row


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
