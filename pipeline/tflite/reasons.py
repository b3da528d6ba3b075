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
# Where an operator comes from: its name scopes, of which the first is the model's.
_PLACE = re.compile(r'"(\w+):", "[^"/@]+/([^"@]+)/[^"/@]+@')
_MAX_PLACES = 3


def last_meaningful_line(text: str) -> str:
    """Returns the line of an error text that names the reason, at most 300 characters.

    Operators that the runtime lacks are named by the converter in a line of their own, in the
    middle of the text, and the name scopes that they come from in others; else the last line
    that is not chatter counts.

    Args:
        text: what a converter raised or wrote to stderr.

    Returns:
        One line without control characters, or "" if there is none.
    """
    operators = _OPS.findall(text)
    if operators:
        names = dict.fromkeys(", ".join(operators).split(", "))
        places = _PLACE.findall(text)
        named = ", ".join(name + _words_for_places(name, places) for name in names)
        return f"no TFLite kernel for {named}"[:_MAX_LENGTH]
    lines = [re.sub(r"[\x00-\x1f\x7f]+", " ", line).strip() for line in text.splitlines()]
    telling = [line for line in lines if line and not _NOISE.match(line)]
    return telling[-1][:_MAX_LENGTH] if telling else ""


def _words_for_places(name: str, places: list[tuple[str, str]]) -> str:
    """E.g. " (in scope encoder_1/attention_1)": layers, numbered by Keras 3; "" if untold."""
    found = list(dict.fromkeys(place for operator, place in places if operator == name))
    if not found:
        return ""
    more = f" and {len(found) - _MAX_PLACES} more" if len(found) > _MAX_PLACES else ""
    return f" (in scope {', '.join(found[:_MAX_PLACES])}{more})"
