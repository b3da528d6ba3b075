"""`slimline predict` on a file that a whole run shipped: what run_model.py says, it says too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from tests.integration.conftest import environment, slimline


def test_the_shipped_file_by_both_programs(small_run: Path, tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    np.save(tmp_path / "x.npy", load_digits().images[:20, :, :, None])
    export = small_run / "artifacts/small/export"
    done = slimline("predict", export / "int8.tflite", "--input", tmp_path / "x.npy", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    ours = [line.split("\t")[:3] for line in done.stdout.splitlines()]
    assert len(ours) == 20
    theirs = subprocess.run(
        [sys.executable, export / "run_model.py", tmp_path / "x.npy"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ours == [line.split("\t") for line in theirs.stdout.splitlines()]
    digits = [label for _, label, _ in ours]
    assert sum(label == str(n) for label, n in zip(digits, load_digits().target, strict=False)) > 16
