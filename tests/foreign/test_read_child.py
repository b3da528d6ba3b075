"""The child process: what it imports, its limits, and its answer."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np

from pipeline.child_process import child_environment
from pipeline.foreign.read_child import INDEX


def test_it_imports_no_tensorflow_and_starts_quickly(
    good_files: dict[str, Path], tmp_path: Path
) -> None:
    code = (
        "import sys, time\n"
        "from pipeline.foreign.read_child import main\n"
        f"main([{str(good_files['keras.keras'])!r}, {str(tmp_path)!r}], print)\n"
        "print(sorted({'tensorflow', 'keras', 'tf_keras', 'pydantic'} & set(sys.modules)))\n"
        "print(time.process_time())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env=child_environment(),
    )  # fmt: skip
    told, heavy, seconds = done.stdout.splitlines()
    assert told == "{}" and heavy == "[]" and float(seconds) < 0.5
    assert (tmp_path / INDEX).is_file()


def test_memory_is_limited(tmp_path: Path) -> None:
    """An allocation that this machine could serve is refused to the child."""
    code = (
        "import numpy as np, h5py\n"
        "from pipeline.foreign.read_child import _limit_resources\n"
        "_limit_resources(1000)\n"
        "np.zeros(3 << 30, 'u1')"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment()
    )
    assert done.returncode == 1 and "MemoryError" in done.stderr
    assert time.monotonic() - started < 30


def test_a_refusal_is_one_line_of_json(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["x"] = np.zeros(3)
    code = (
        "import sys\n"
        "from pipeline.foreign.read_child import main\n"
        "for name in sys.argv[2:]:\n"
        "    main([name, sys.argv[1]], print)"
    )
    files = [str(tmp_path / "m.h5"), str(tmp_path / "none.h5")]
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), *files],
        capture_output=True, text=True, check=True, env=child_environment(),
    )  # fmt: skip
    refused, missing = done.stdout.splitlines()
    assert "an HDF5 file of something else" in json.loads(refused)["error"]
    assert "none.h5: cannot be read (" in json.loads(missing)["error"]
