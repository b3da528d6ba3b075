"""Keeps what C++ libraries write to stderr, past Python, off the screen."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

# Descriptor 2 belongs to the whole process: one redirection at a time.
_LOCK = threading.Lock()
_CHATTER = re.compile(
    # LiteRT has no setting for this line (ai-edge-litert 2.3.0).
    r"INFO: Created TensorFlow Lite XNNPACK delegate"
    # TensorFlow 2.21's C++ side writes these while it is imported, whatever
    # TF_CPP_MIN_LOG_LEVEL says.
    r"|WARNING: All log messages before absl::InitializeLog\(\)"
    r"|[IW]0000 \d\d:\d\d:"
)


@contextlib.contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Collects the lines written to descriptor 2 while the block runs.

    Lines that are not known chatter are written on afterwards when the block ends well, so that
    a warning nobody expected, or another thread's line, is late but not lost. When it raises,
    they are left to whoever handles the error.

    Yields:
        A list that holds the lines, without chatter, once the block has ended.
    """
    lines: list[str] = []
    with _LOCK, tempfile.TemporaryFile() as kept:
        sys.stderr.flush()
        original = os.dup(2)
        os.dup2(kept.fileno(), 2)
        try:
            yield lines
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            kept.seek(0)
            text = kept.read().decode("utf-8", "replace")
            lines += [line for line in text.splitlines() if not _CHATTER.match(line)]
    if lines:
        os.write(2, ("\n".join(lines) + "\n").encode())
