"""What parents and children of this package share."""

from __future__ import annotations

import json
import subprocess
import sys

from pipeline.child_process import child_environment


def test_a_child_answers_on_stdout_whatever_its_libraries_print() -> None:
    code = (
        "from pipeline.child_process import reply, reserve_stdout\n"
        "replies = reserve_stdout(); print('chatter', flush=True); reply(replies, {'a': 1})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=child_environment()
    )
    assert json.loads(done.stdout) == {"a": 1}
    assert "chatter" in done.stderr


def test_settings_stand_above_the_environment() -> None:
    assert child_environment(OMP_NUM_THREADS="1")["OMP_NUM_THREADS"] == "1"
