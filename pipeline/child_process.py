"""Both ends of a child process that takes orders as JSON lines and dies with its parent."""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
from pathlib import Path
from typing import Any, TextIO

import pipeline


def child_environment(**settings: str) -> dict[str, str]:
    """Returns the environment of a child that runs a module of this package.

    Args:
        settings: variables to set beside those of this process.
    """
    environment = dict(os.environ)
    # tfmot sets this for the process and its children; a child must not see Keras 2.
    environment.pop("TF_USE_LEGACY_KERAS", None)
    package_root = str(Path(pipeline.__file__).resolve().parent.parent)
    paths = [package_root, environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return {**environment, **settings}


def reserve_stdout() -> TextIO:
    """Keeps the pipe of the replies to itself; what libraries print goes to stderr."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return replies


def reply(replies: TextIO, message: dict[str, Any]) -> None:
    """Sends the parent one line."""
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def end_with_parent(armed: bool) -> None:
    """While armed, the kernel ends this process the moment its parent is gone.

    The parent holds the only write end of stdin and writes nothing while an order runs, so the
    one event on the pipe is its end: O_ASYNC turns that into SIGIO, which kills even within
    C++ code. (PR_SET_PDEATHSIG would fire when the parent's *thread* ends.)
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL if armed else signal.SIG_IGN)
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    watch = select.poll()
    watch.register(0, select.POLLIN)
    if armed and any(event & select.POLLHUP for _, event in watch.poll(0)):
        os._exit(1)
