"""Turns the chatter of a converter into the one line that says what was wrong."""

from __future__ import annotations

import re

_MAX_LENGTH = 300
# Lines that are about the log, the machine or the way to another tool, not about the model.
_NOISE = re.compile(
    r"^(Traceback |File |WARNING|INFO|W0000|I0000|[IW]\d{4} |\^|~|Details:|During handling|"
    r"The above exception|Fatal Python error|Current thread|Thread 0x|Extension modules|"
    r"<unknown>:0: note|.*note: see current operation|Error code: |See instructions|\*\*\*)"
)
_OPS = re.compile(r"^(?:TF Select|Custom|Flex) ops: (.+)$", re.MULTILINE)


def last_meaningful_line(text: str) -> str:
    """Returns the line of an error text that names the reason, at most 300 characters.

    Operators that the runtime lacks are named by the converter in a line of their own, in the
    middle of the text; otherwise the last line that is not chatter counts.

    Args:
        text: what a converter raised or wrote to stderr.

    Returns:
        One line without control characters, or "" if there is none.
    """
    operators = _OPS.findall(text)
    if operators:
        names = ", ".join(dict.fromkeys(", ".join(operators).split(", ")))
        return f"no TFLite kernel for {names}"[:_MAX_LENGTH]
    lines = [re.sub(r"[\x00-\x1f\x7f]+", " ", line).strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not _NOISE.match(line)]
    return telling[-1][:_MAX_LENGTH] if telling else ""
