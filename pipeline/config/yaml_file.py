"""YAML as data only: YAML 1.2's plain types, no tags, no duplicate keys, no NaN.

PyYAML follows YAML 1.1, where `1e-4` is a text and `no` is false; learning rates and class
names want neither, so the resolvers of YAML 1.2's core schema replace its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from typing import Any

import yaml

from pipeline.errors import ConfigError

MAX_BYTES = 1_000_000

_CORE = [
    ("tag:yaml.org,2002:null", r"~|null|Null|NULL|", "~nN\0"),
    ("tag:yaml.org,2002:bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("tag:yaml.org,2002:int", r"[-+]?[0-9]+", "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
]


class _Loader(yaml.SafeLoader):
    """SafeLoader with the resolvers above; what it must refuse, it refuses with a place."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuses anchors' references and explicit tags before a node is made."""
        event: Any = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(f"{_place(event.start_mark)}: YAML aliases are not accepted")
        if getattr(event, "tag", None) is not None:
            raise ConfigError(f"{_place(event.start_mark)}: YAML tag {event.tag} is not accepted")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        """Refuses a key that stands twice."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str | int):
                raise ConfigError(f"{_place(key_node.start_mark)}: expected a plain key")
            if key in seen:
                raise ConfigError(f"{_place(key_node.start_mark)}: key '{key}' stands twice")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in _CORE:
    for _character in _first:
        _Loader.yaml_implicit_resolvers.setdefault(
            "" if _character == "\0" else _character, []
        ).append((_tag, re.compile(rf"^(?:{_pattern})$")))


def _integer(loader: yaml.SafeLoader, node: Any) -> int:
    return int(loader.construct_scalar(node))


def _number(loader: yaml.SafeLoader, node: Any) -> float:
    return _finite(loader.construct_scalar(node), node.start_mark)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _number)


def _finite(text: str, mark: Any) -> float:
    # YAML writes .inf and .nan, Python inf and nan.
    value = float(re.sub(r"\.(?=[iInN])", "", text))
    if not math.isfinite(value):
        raise ConfigError(f"{_place(mark)}: {text} is no number to work with")
    return value


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def parse_yaml(text: str) -> Any:
    """Reads one YAML document of plain data.

    Args:
        text: at most MAX_BYTES characters.

    Returns:
        Dictionaries, lists, texts, finite numbers, booleans and None.

    Raises:
        ConfigError: no YAML, too large, or one of the things this module refuses.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"expected at most {MAX_BYTES:,} characters, received {len(text):,}")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{_place(mark)}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(f"{place}no valid YAML: {problem}") from error
    except RecursionError as error:
        raise ConfigError("YAML is nested too deeply") from error
