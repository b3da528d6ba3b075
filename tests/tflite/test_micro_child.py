"""Measuring in forks: the figure that holds, the reason when there is none, one line a file."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.tflite import micro_child
from pipeline.tflite.micro_child import main, measure, reason_of, smallest_arena


def runtime(needed: int, claimed: int, *, sabotage: Callable[[], None] | None = None) -> Any:
    """A tflite-micro that runs in `needed` bytes or more, and claims another number."""

    class Interpreter:
        def __init__(self, data: bytes, arena_size: int) -> None:
            if arena_size < needed:
                raise RuntimeError("too small")

        def get_input_details(self, index: int) -> dict[str, Any]:
            return {"shape": (1, 2), "dtype": np.int32}

        def set_input(self, values: np.ndarray, index: int) -> None:
            assert not values.any(), "zeros are valid token ids, what memory holds is not"
            self.is_set = True

        def invoke(self) -> None:
            assert self.is_set
            if sabotage is not None:
                sabotage()

        def print_allocations(self) -> None:
            line = f"[RecordingMicroAllocator] Arena allocation total {claimed} bytes\n"
            os.write(2, line.encode())

    return SimpleNamespace(Interpreter=SimpleNamespace(from_bytes=Interpreter))


def test_reasons() -> None:
    assert reason_of(-6, "") == "tflite-micro crashed (SIGABRT)"
    text = "Didn't find op for builtin opcode 'RFFT2D'\nFailed to get registration from op code 1"
    assert reason_of(1, text) == "tflite-micro lacks the operator RFFT2D"
    assert reason_of(1, "Failed to get registration from op code FFT\n").endswith("operator FFT")
    text = "Node X failed to prepare\nTFLM failed to allocate tensors"
    assert reason_of(1, text) == "tflite-micro refuses it: Node X failed to prepare"
    text = "[RecordingMicroAllocator] Arena\nTFLM failed to allocate tensors"
    assert reason_of(1, text) == "tflite-micro refuses it: TFLM failed to allocate tensors"


def test_a_report_that_does_not_hold_is_searched_for() -> None:
    """A runtime that claims 100 bytes, but runs in 1000 or more."""
    result = measure(runtime(1000, 100), b"")
    assert result == {"arena_bytes": 1008, "note": None}, "the first multiple of 16 that runs"


def test_a_report_that_holds_is_taken_as_it_is() -> None:
    assert measure(runtime(1000, 1004), b"") == {"arena_bytes": 1004, "note": None}


@pytest.mark.parametrize("needed", [101, 112, 113, 200, 201, 1600])
def test_the_smallest_arena_is_the_first_multiple_that_runs(needed: int) -> None:
    assert smallest_arena(runtime(needed, 0), b"", 100, 1 << 20) == -(-needed // 16) * 16


def test_the_search_for_an_arena_ends_at_what_is_known_to_be_enough() -> None:
    # A file that runs by luck only must not be looked for for ever.
    assert smallest_arena(runtime(1 << 30, 0), b"", 100, 4096) == 4096


def test_the_room_to_record_in_grows_with_the_file() -> None:
    """16 MiB and twice the file: 100 bytes of it make 200 more."""
    room = (16 << 20) + 200
    assert measure(runtime(room, room), b"x" * 100)["arena_bytes"] == room
    assert measure(runtime(room + 1, room + 1), b"x" * 100) == {
        "arena_bytes": None, "note": "tflite-micro refuses it: too small",
    }  # fmt: skip


def test_a_crash_ends_the_fork_alone() -> None:
    def crash() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    result = measure(runtime(0, 64, sabotage=crash), b"")
    assert result == {"arena_bytes": None, "note": "tflite-micro crashed (SIGKILL)"}


def test_an_exit_does_not_leave_the_fork() -> None:
    """SystemExit would end the tests twice, once in the fork, if it got out."""

    def leave() -> None:
        raise SystemExit("had enough")

    result = measure(runtime(0, 64, sabotage=leave), b"")
    assert result == {"arena_bytes": None, "note": "tflite-micro refuses it: had enough"}


def test_a_runtime_that_reports_nothing() -> None:
    silent = runtime(0, 64)
    silent.Interpreter.from_bytes.print_allocations = lambda self: os.write(2, b"no figure\n")
    result = measure(silent, b"")
    assert result == {"arena_bytes": None, "note": "tflite-micro refuses it: no figure"}


def test_one_line_for_each_file_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = SimpleNamespace(runtime="the runtime")
    monkeypatch.setitem(sys.modules, "tflite_micro", fake)
    monkeypatch.setattr(
        micro_child, "measure",
        lambda runtime, data: {"arena_bytes": len(data), "note": runtime},
    )  # fmt: skip
    paths = [tmp_path / name for name in ("long", "short")]
    paths[0].write_bytes(b"12345")
    paths[1].write_bytes(b"123")
    main([str(path) for path in paths])
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"arena_bytes": 5, "note": "the runtime"}, {"arena_bytes": 3, "note": "the runtime"},
    ]  # fmt: skip
