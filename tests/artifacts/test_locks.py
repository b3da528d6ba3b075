"""Locks are the kernel's: exclusive, and gone with their process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.artifacts.locks import hold_lock, is_locked
from pipeline.errors import BusyError

HOLDER = """
import sys, time
from pathlib import Path
from pipeline.artifacts.locks import hold_lock
with hold_lock(Path(sys.argv[1]), "held"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_is_kept_out_until_it_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_locked(path)
        with pytest.raises(BusyError, match="try later"), hold_lock(path, "try later"):
            pass
        holder.kill()
        started = time.monotonic()
        with hold_lock(path, "never told", wait=True):
            assert time.monotonic() - started < 10
        assert not is_locked(path)
    finally:
        holder.kill()
        holder.communicate()
