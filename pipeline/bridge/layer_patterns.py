"""Settings that differ by the name of the layer: fnmatch patterns, the first match wins."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import TypeVar

from pipeline.config.suggest import did_you_mean
from pipeline.errors import ConfigError

_Override = TypeVar("_Override")


def check_patterns(section: str, patterns: Iterable[str], names: Iterable[str]) -> None:
    """Refuses a pattern that no layer has.

    Args:
        section: of the configuration, for the error.
        patterns: as configured.
        names: all layers that have weights.

    Raises:
        ConfigError: a pattern that matches none.
    """
    known = list(names)
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise ConfigError(
                f"{section}.layers: the pattern '{pattern}' matches no layer with weights; the "
                f"model has {', '.join(known)}"
            )


def unmatched_patterns(section: str, patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Returns a sentence for each pattern that no layer has, with the name spelled most like it.

    Args:
        section: of the configuration.
        patterns: as configured.
        names: all layers of the model.
    """
    known = list(names)
    return [
        f"{section}.layers: the pattern '{pattern}' matches no layer of the model"
        f"{did_you_mean(pattern, known)}"
        for pattern in patterns
        if not fnmatch.filter(known, pattern)
    ]


def first_match(overrides: Mapping[str, _Override], name: str) -> _Override | None:
    """Returns what the first pattern that matches a layer's name says, or None."""
    for pattern, override in overrides.items():
        if fnmatch.fnmatchcase(name, pattern):
            return override
    return None
