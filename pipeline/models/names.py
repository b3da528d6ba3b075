"""Names that Keras gives by itself: the class in snake case, numbered."""

from __future__ import annotations

import re


def snake_case(class_name: str) -> str:
    """Returns the stem of Keras's automatic names: "BatchNormalization" → "batch_normalization"."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", class_name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def numbered(stem: str, seen: dict[str, int]) -> str:
    """Returns stem, stem_1, stem_2, … at each further call; `seen` counts."""
    count = seen.get(stem, 0)
    seen[stem] = count + 1
    return f"{stem}_{count}" if count else stem


def is_automatic(name: str, class_name: str) -> bool:
    """True if Keras may have given the name by itself: "conv2d_7" of a Conv2D."""
    return re.fullmatch(re.escape(snake_case(class_name)) + r"(_\d+)?", name) is not None
