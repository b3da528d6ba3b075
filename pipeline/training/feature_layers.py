"""Which inner layer of a student is held against which of its teacher: by their names."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from pipeline.config.suggest import did_you_mean
from pipeline.errors import ConfigError

Pairs = list[tuple[str, str]]


def pair_layers(
    asked: Mapping[str, str] | Sequence[str],
    student: Sequence[str],
    teacher: Sequence[str],
    field: str,
) -> Pairs:
    """Finds the layers that are asked for.

    Args:
        asked: student layer → teacher layer, or names and patterns (fnmatch) of layers that both
            models have.
        student: names of its layers, in their order.
        teacher: names of its layers.
        field: path of `asked` in the configuration, for errors.

    Returns:
        (student layer, teacher layer) of each pair, in the order of `asked`; none twice.

    Raises:
        ConfigError: a name or pattern that fits no layer, with the nearest that there is.
    """
    if isinstance(asked, Mapping):
        for theirs in asked.values():
            _check_known(theirs, teacher, "teacher", field)
        for ours in asked:
            _check_known(ours, student, "student", field)
        return list(asked.items())
    known = frozenset(teacher)
    both = [name for name in student if name in known]
    found: dict[str, str] = {}
    for pattern in asked:
        matches = [name for name in both if fnmatch.fnmatchcase(name, pattern)]
        if not matches:
            raise ConfigError(
                f"{field}: '{pattern}' fits no layer that student and teacher both have"
                f"{did_you_mean(pattern, both)}"
            )
        found |= dict.fromkeys(matches, "")
    return [(name, name) for name in found]


def _check_known(name: str, known: Sequence[str], whose: str, field: str) -> None:
    if name not in known:
        raise ConfigError(f"{field}: the {whose} has no layer '{name}'{did_you_mean(name, known)}")
