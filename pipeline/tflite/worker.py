"""A child process that holds TensorFlow's converter ready and survives none of its own crashes."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

from pipeline.child_process import child_environment
from pipeline.errors import PromiseError
from pipeline.tflite.reasons import last_meaningful_line

DEFAULT_TIME_LIMIT = 900.0
# Of the physical memory: beyond it the machine swaps or the kernel kills something else.
DEFAULT_MEMORY_SHARE = 0.8
_CHILD_MODULE = "pipeline.tflite.convert_worker"
_POLL_SECONDS = 0.1
_STDERR_BYTES = 65536


class ConversionWorker:
    """Runs conversions in one child process; replaces it when it dies.

    Importing TensorFlow takes the child seconds, so `start()` it while other work runs. Orders
    go as JSON lines to its stdin, one at a time, and come back as JSON lines from its stdout; its
    stderr is kept in a file and read only when it dies. The child ends when this process does.

    Not safe to use from two threads at once.
    """

    def __init__(
        self, time_limit: float = DEFAULT_TIME_LIMIT, memory_limit: int | None = None
    ) -> None:
        """Makes a worker that is not started yet.

        Args:
            time_limit: seconds that one conversion may take, > 0.
            memory_limit: resident bytes that the child may take; by default 80 % of the physical
                memory. Enforced where /proc tells (Linux).
        """
        self._time_limit = time_limit
        self._memory_limit = _default_memory_limit() if memory_limit is None else memory_limit
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._stderr_start = 0
        self._ready = False

    def __enter__(self) -> ConversionWorker:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> None:
        """Starts the child in the background if it is not alive; returns at once."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            # -P: the folder the user stands in is no place to import from.
            [sys.executable, "-P", "-m", _CHILD_MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=child_environment(TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="-1"),
            # Ctrl-C goes to this process alone, which then decides about the child.
            start_new_session=True,
        )
        self._stderr_start = 0
        self._ready = False

    def run(self, order: dict[str, Any], label: str) -> dict[str, Any]:
        """Has the child do one order and waits for it.

        Args:
            order: what `pipeline.tflite.convert_worker` understands.
            label: names the model and the scheme in errors.

        Returns:
            The child's reply.

        Raises:
            PromiseError: the order was refused, or the child crashed or passed a limit; a new
                child is started by the next order.
        """
        self.start()
        deadline = time.monotonic() + self._time_limit
        try:
            if not self._ready:
                self._await_line(label, deadline)
                self._ready = True
            self._stderr_start = self._stderr_end()
            self._send(order)
            reply = json.loads(self._await_line(label, deadline))
        except BaseException:
            # Also on Ctrl-C: a child in the middle of an order would answer to the next one.
            self.close()
            raise
        if "error" in reply:
            reason = last_meaningful_line(reply["error"]) or "no reason given"
            raise PromiseError(f"{label}: the TFLite converter refuses it: {reason}")
        return dict(reply)

    def close(self) -> None:
        """Ends the child; a closed worker can be started again."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                # Closing stdin flushes what a dead child will not read.
                with contextlib.suppress(BrokenPipeError):
                    stream.close()  # type: ignore[union-attr]
        if self._stderr is not None:
            self._stderr.close()
            self._stderr = None

    def _send(self, order: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        # A broken pipe means that the child is dead: the wait for its answer tells why.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()

    def _await_line(self, label: str, deadline: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        stdout = self._process.stdout.fileno()
        line = b""
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if selector.select(_POLL_SECONDS):
                    received = os.read(stdout, 1 << 16)
                    if not received:
                        raise PromiseError(self._death_notice(label))
                    line += received
                elif time.monotonic() > deadline:
                    raise PromiseError(
                        f"{label}: the conversion took longer than {self._time_limit:g} s"
                    )
                elif (resident := _resident_bytes(self._process.pid)) > self._memory_limit:
                    raise PromiseError(
                        f"{label}: the conversion took {resident / 1e9:.1f} GB of memory, "
                        f"the limit is {self._memory_limit / 1e9:.1f} GB"
                    )
        return line

    def _stderr_end(self) -> int:
        assert self._stderr is not None
        return os.fstat(self._stderr.fileno()).st_size

    def _death_notice(self, label: str) -> str:
        assert self._process is not None and self._stderr is not None
        code = self._process.wait()
        cause = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        # What earlier orders left there explains nothing about this one.
        self._stderr.seek(max(self._stderr_start, self._stderr_end() - _STDERR_BYTES))
        reason = last_meaningful_line(self._stderr.read().decode("utf-8", "replace"))
        words = f": {reason}" if reason else ""
        return f"{label}: the TFLite converter crashed ({cause}){words}"


def _default_memory_limit() -> int:
    return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * DEFAULT_MEMORY_SHARE)


def _resident_bytes(pid: int) -> int:
    """Resident memory of a process; 0 where there is no /proc to ask."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
