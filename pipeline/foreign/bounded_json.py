"""JSON from outside: bounded in size and nesting before it is parsed."""

from __future__ import annotations

import json
from typing import Any

from pipeline.errors import UntrustedModelError
from pipeline.foreign.limits import MAX_CONFIG_BYTES, MAX_NESTING


def parse_json(text: str, where: str) -> Any:
    """Parses a text.

    Args:
        text: JSON.
        where: begins the message.

    Returns:
        Dictionaries, lists and plain values.

    Raises:
        UntrustedModelError: too long, too deep, or no JSON.
    """
    if len(text) > MAX_CONFIG_BYTES:
        raise UntrustedModelError(
            f"{where} has {len(text):,} characters, expected at most {MAX_CONFIG_BYTES:,}"
        )
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UntrustedModelError(f"{where} is no JSON ({error}); save the model again") from error
    if _is_deeper(parsed, MAX_NESTING):
        raise UntrustedModelError(f"{where} is nested deeper than {MAX_NESTING} levels")
    return parsed


def _is_deeper(parsed: Any, limit: int) -> bool:
    level = [parsed]
    for _ in range(limit):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True
