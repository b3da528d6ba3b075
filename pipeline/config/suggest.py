"""“Did you mean …?” for a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Returns "; did you mean 'x'?", or what is known when nothing is near.

    Args:
        word: what was received.
        known: all words that would have been accepted.
    """
    choices = [str(choice) for choice in known]
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; expected one of {', '.join(choices)}" if choices else ""
