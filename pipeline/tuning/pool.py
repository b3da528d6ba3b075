"""Worker processes on this machine: each does one trial at a time and reports to this process.

A worker takes seconds to import TensorFlow, so it stays for the whole search. It dies with this
process, at once and whatever it is doing (child_process.end_with_parent); a worker that dies is
replaced, and its trial reported as lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import IO, Any

from pipeline import errors
from pipeline.child_process import child_environment
from pipeline.errors import TrainingError
from pipeline.tflite.reasons import last_meaningful_line
from pipeline.tuning.crew import Report
from pipeline.tuning.task import TrialTask

_CHILD_MODULE = "pipeline.tuning.worker"
_STDERR_BYTES = 65536


class WorkerPool:
    """Does trials in `size` processes, each with its share of the machine's threads."""

    def __init__(self, size: int, setup: dict[str, Any], threads: int | None = None) -> None:
        """Starts the workers in the background; returns at once.

        Args:
            size: number of processes, ≥ 1.
            setup: what `pipeline.tuning.worker` reads first: train, prepare, arguments.
            threads: of each; default: its share of the cores that this process may use.
        """
        self.size = size
        share = len(os.sched_getaffinity(0)) // size
        self._setup = {**setup, "threads": max(1, share) if threads is None else threads}
        self._messages: queue.Queue[tuple[_Worker, dict[str, Any] | None]] = queue.Queue()
        self._workers = [_Worker(self._setup, self._messages) for _ in range(size)]

    def has_room(self) -> bool:
        """True if a worker is ready and has nothing to do."""
        return any(worker.is_free for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers]

    def submit(self, task: TrialTask, fence: int) -> None:
        """Gives a trial to a free worker."""
        next(worker for worker in self._workers if worker.is_free).begin(task, fence)

    def wait(self, handle: Callable[[Report], None]) -> None:
        """Waits for a message of any worker, then handles all that are there.

        Raises:
            TrainingError: a worker could not start.
            SlimlineError: what a worker met that is not one trial's fault.
            RuntimeError: a bug, with its traceback.
        """
        worker, message = self._messages.get()
        while True:
            if worker in self._workers:  # not one that was replaced
                self._receive(worker, message, handle)
            try:
                worker, message = self._messages.get_nowait()
            except queue.Empty:
                return

    def close(self) -> None:
        """Ends all workers."""
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.close()

    def _receive(
        self, worker: _Worker, message: dict[str, Any] | None, handle: Callable[[Report], None]
    ) -> None:
        if message is None:
            self._replace(worker, handle)
        elif "ready" in message:
            worker.ready = True
        elif "report" in message:
            report = Report(**message["report"])
            if report.kind != "epoch":
                worker.order = None
            handle(report)
        else:
            kind = getattr(errors, message["error"], RuntimeError)
            raise kind(message["message"])

    def _replace(self, worker: _Worker, handle: Callable[[Report], None]) -> None:
        cause, order, ready = worker.death_notice(), worker.order, worker.ready
        worker.close()
        if not ready:
            raise TrainingError(f"tune: a worker could not start ({cause}); try --workers 1")
        self._workers[self._workers.index(worker)] = _Worker(self._setup, self._messages)
        if order is not None:
            task, fence = order
            handle(Report("lost", task.trial, fence, error=f"its worker died ({cause})"))


class _Worker:
    """One process, what it does, and a thread that reads its lines."""

    def __init__(self, setup: dict[str, Any], messages: queue.Queue[Any]) -> None:
        self.ready = False
        self.order: tuple[TrialTask, int] | None = None
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long
        threads = str(setup["threads"])
        self.process = subprocess.Popen(
            # -P: the folder the user stands in is no place to import from.
            [sys.executable, "-P", "-m", _CHILD_MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=child_environment(OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads),
            # Ctrl-C goes to this process alone, which then decides about the workers.
            start_new_session=True,
        )
        self._send(setup)
        threading.Thread(target=self._read, args=(messages,), daemon=True).start()

    @property
    def is_free(self) -> bool:
        return self.ready and self.order is None

    def begin(self, task: TrialTask, fence: int) -> None:
        self.order = (task, fence)
        self._send({"task": task.to_json(), "fence": fence})

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        # Closing stdin flushes what a dead child will not read.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()  # type: ignore[union-attr]
        self._stderr.close()

    def death_notice(self) -> str:
        code = self.process.wait()
        cause = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        size = os.fstat(self._stderr.fileno()).st_size
        self._stderr.seek(max(0, size - _STDERR_BYTES))
        reason = last_meaningful_line(self._stderr.read().decode("utf-8", "replace"))
        return f"{cause}: {reason}" if reason else cause

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        # A broken pipe means that the child is dead: the reader tells of it.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()

    def _read(self, messages: queue.Queue[Any]) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.endswith(b"\n"):  # else torn by a kill
                    messages.put((self, json.loads(line)))
        messages.put((self, None))
