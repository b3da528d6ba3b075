"""The child that reads is limited, and what it answers is not trusted."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign import reading
from pipeline.foreign.read_child import ARRAYS, INDEX
from pipeline.foreign.reading import collect, read_outside


def answer(folder: Path, arrays: list[dict[str, Any]], **index: Any) -> Path:
    """Writes what a child would."""
    np.arange(6, dtype="<f4").tofile(folder / ARRAYS)
    content = {"format": "h5", "config": "{}", "keras_version": "2.4.0", "arrays": arrays, **index}
    (folder / INDEX).write_text(json.dumps(content))
    return folder


def entry(**other: Any) -> dict[str, Any]:
    return {"name": "a", "dtype": "<f4", "shape": [2, 3], "offset": 0, **other}


def test_arrays_come_as_they_were(tmp_path: Path) -> None:
    found = collect(Path("m.h5"), answer(tmp_path, [entry(shape=[2], offset=8)]))
    np.testing.assert_array_equal(found.arrays["a"], [2, 3])
    assert found.keras_version == "2.4.0" and found.training_config is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (entry(shape=[7]), r"m\.h5: 'a' is not there in full"),
        (entry(shape=[-1]), "'a' is not there in full"),
        (entry(offset=20), "'a' is not there in full"),
        (entry(shape=[10**12, 10**12]), "'a' is not there in full"),
        (entry(dtype="|O"), r"'a' has dtype \|O"),
    ],
)
def test_an_index_that_promises_too_much(wrong: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(UntrustedModelError, match=words):
        collect(Path("m.h5"), answer(tmp_path, [wrong]))


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    answer(tmp_path, [entry()])
    np.array([1, 2, np.inf, 3, 4, 5], "<f4").tofile(tmp_path / ARRAYS)
    with pytest.raises(UntrustedModelError, match="'a' holds values that are not finite numbers"):
        collect(Path("m.h5"), tmp_path)


def run_instead(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Has the child do something else."""
    real = subprocess.run

    def run(command: list[str], **options: Any) -> Any:
        return real([command[0], "-c", code], **options)

    monkeypatch.setattr(reading.subprocess, "run", run)


def test_a_child_that_crashes_takes_too_long_or_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.h5").write_bytes(b"x")
    with monkeypatch.context() as patched:
        run_instead(patched, "import os; os.kill(os.getpid(), 11)")
        with pytest.raises(UntrustedModelError, match=r"reading it ended with exit code -11"):
            read_outside(tmp_path / "m.h5")
    with monkeypatch.context() as patched:
        run_instead(patched, "import time; time.sleep(60)")
        patched.setattr(reading, "READER_SECONDS", 0.2)
        with pytest.raises(UntrustedModelError, match=r"took longer than 0\.2 s, so it was"):
            read_outside(tmp_path / "m.h5")


def test_the_size_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.h5").write_bytes(b"x" * 20)
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 10)
    with pytest.raises(UntrustedModelError, match="20 bytes, expected at most 10"):
        read_outside(tmp_path / "m.h5")
