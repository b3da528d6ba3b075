"""The child process: refusals, crashes, limits, replacement, and its end with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pipeline.child_process import child_environment
from pipeline.errors import PromiseError
from pipeline.tflite import worker as worker_module
from pipeline.tflite.conversion_request import ConversionRequest, Scheme
from pipeline.tflite.convert import convert
from pipeline.tflite.worker import ConversionWorker

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def saved_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something that looks like a SavedModel, and a child that does not care."""
    monkeypatch.setattr(worker_module, "_CHILD_MODULE", "tests.tflite.fake_worker")
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    folder = tmp_path / "saved_model"
    folder.mkdir()
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


def _run(worker: ConversionWorker, saved_model: Path, scheme: Scheme) -> bytes:
    samples = np.zeros((1, 2), np.float32)
    request = ConversionRequest("tiny", scheme)
    paths = convert(saved_model, [request], samples, saved_model.parent / "out", worker)
    return paths["tiny"].read_bytes()


def test_one_child_serves_several_orders(saved_model: Path) -> None:
    with ConversionWorker() as worker:
        first, second = (_run(worker, saved_model, "float32") for _ in range(2))
    assert first == second  # the process id of the child


def test_a_refusal_is_one_line_and_leaves_the_child_alive(saved_model: Path) -> None:
    with ConversionWorker() as worker:
        before = _run(worker, saved_model, "float32")
        with pytest.raises(PromiseError) as raised:
            _run(worker, saved_model, "float16")
        assert str(raised.value) == (
            "model 'tiny' (scheme float16): the TFLite converter refuses it: "
            "ValueError: no kernel for Foo"
        )
        assert _run(worker, saved_model, "float32") == before


def test_a_crash_is_told_with_its_last_words_and_the_child_is_replaced(saved_model: Path) -> None:
    with ConversionWorker() as worker:
        before = _run(worker, saved_model, "float32")
        with pytest.raises(PromiseError, match="refuses"):
            _run(worker, saved_model, "float16")
        with pytest.raises(PromiseError) as raised:
            _run(worker, saved_model, "dynamic_range")
        assert str(raised.value) == (
            "model 'tiny' (scheme dynamic_range): the TFLite converter crashed "
            "(killed by SIGABRT): F0000 check failed: rank > 0"
        )
        assert _run(worker, saved_model, "float32") != before


def test_the_time_limit(saved_model: Path) -> None:
    with ConversionWorker(time_limit=1.0) as worker:
        with pytest.raises(PromiseError, match=r"scheme int8\): the conversion took longer than 1"):
            _run(worker, saved_model, "int8")
        _run(worker, saved_model, "float32")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit needs /proc")
def test_the_memory_limit(saved_model: Path) -> None:
    with (
        ConversionWorker(memory_limit=100_000_000) as worker,
        pytest.raises(PromiseError, match=r"took 0\.\d GB of memory, the limit is 0\.1 GB"),
    ):
        _run(worker, saved_model, "int16x8")


def test_nothing_is_written_where_a_conversion_failed(saved_model: Path) -> None:
    with ConversionWorker() as worker, pytest.raises(PromiseError):
        _run(worker, saved_model, "float16")
    assert list((saved_model.parent / "out").iterdir()) == []


def test_the_child_does_not_inherit_the_switch_to_keras_2(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "TF_USE_LEGACY_KERAS" in os.environ
    assert "TF_USE_LEGACY_KERAS" not in child_environment()


def test_closing_twice_and_without_starting() -> None:
    worker = ConversionWorker()
    worker.close()
    worker.close()


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            # A killed orphan may stay a zombie until its new parent looks.
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_the_real_child_ends_when_its_parent_is_killed_while_it_starts() -> None:
    program = (
        "import time; from pipeline.tflite.worker import ConversionWorker\n"
        "worker = ConversionWorker(); worker.start()\n"
        "print(worker._process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(1.0)  # into the import of TensorFlow
        assert not _gone(child, 0.1)
        parent.send_signal(signal.SIGKILL)
    assert _gone(child, 10.0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_a_child_deep_in_native_code_ends_with_its_parent() -> None:
    # The regular expression runs for ages in C and never lets go of the interpreter.
    busy = (
        "import re, sys; from pipeline.child_process import end_with_parent\n"
        "end_with_parent(True); print('busy', flush=True); re.match('(a*)*b', 'a' * 60)"
    )
    program = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-c', {busy!r}], stdin=subprocess.PIPE,"
        " stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert not _gone(child, 0.3)
        parent.send_signal(signal.SIGKILL)
    assert _gone(child, 5.0)
