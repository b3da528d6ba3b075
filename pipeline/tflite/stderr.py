"""Keeps what C++ libraries write to stderr, past Python, off the screen."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator

# Descriptor 2 belongs to the whole process: one redirection at a time.
_LOCK = threading.Lock()
# LiteRT has no setting for this line (ai-edge-litert 2.3.0).
_CHATTER = ("INFO: Created TensorFlow Lite XNNPACK delegate",)


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
            lines += [line for line in text.splitlines() if not line.startswith(_CHATTER)]
    if lines:
        os.write(2, ("\n".join(lines) + "\n").encode())
