"""What `slimline options` prints: the configuration, described for a terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pipeline.config.describe import DURATION_WORDS, KERAS_DEFAULT, Description, Key, Kind
from pipeline.config.type_words import as_yaml

MAX_WIDTH = 100
NAME_WIDTH = 26
GAP = 2


def page(description: Description) -> str:
    """Returns the text for one path, or the overview for the whole configuration."""
    if not description.path:
        return _overview(description)
    lines = [*_wrap(f"{description.path}: {description.meaning}".rstrip(": ")), ""]
    if description.kinds and description.chosen_by:
        names = ", ".join(kind.name for kind in description.kinds)
        lines += [*_wrap(f"{description.chosen_by}: one of {names}"), ""]
    if description.keys and description.kinds:
        lines.append("keys of all kinds, unless told otherwise below")
    lines += _key_lines(description.base, description.keys)
    for kind in description.kinds:
        lines += _kind_lines(description.base, kind)
    shown = (*description.keys, *(key for kind in description.kinds for key in kind.keys))
    return "\n".join([*lines, *_hints(description, shown)])


def as_json(description: Description) -> dict[str, Any]:
    """Returns the same for programs."""
    return asdict(description)


def _overview(description: Description) -> str:
    lines = ["The sections of a configuration; each key has a default.", ""]
    for key in description.keys:
        lines += _columns(key.path, _with_kinds(key), NAME_WIDTH // 2)
    lines += [
        "",
        "Go deeper:  slimline options train",
        "            slimline options train.schedule      (each kind with its keys)",
        "            slimline options model.mlp           (one kind)",
        "            slimline options train.optimizer.sgd (its own arguments)",
        "On the command line a key is set with --set train.epochs=5.",
    ]
    return "\n".join(lines)


def _with_kinds(key: Key) -> str:
    """The meaning and the kinds; those of a family such as applications/… as one."""
    families = dict.fromkeys(
        f"{kind.partition('/')[0]}/…" if "/" in kind else kind for kind in key.kinds
    )
    return key.meaning.rstrip(".") + (f" ({', '.join(families)})" if families else "")


def _kind_lines(path: str, kind: Kind) -> list[str]:
    meaning = f": {kind.meaning}" if kind.meaning else ""
    lines = ["", *_wrap(f"{kind.name}{meaning}")]
    if kind.keys and all(key.default == KERAS_DEFAULT for key in kind.keys):
        return lines + _wrap(f"  {_grouped(kind.keys)}")
    lines += _key_lines(path, kind.keys)
    if kind.without:
        names = ", ".join(one.removeprefix(f"{path}.") for one in kind.without)
        lines += _wrap(f"  without {names}")
    return lines


def _grouped(keys: Iterable[Key]) -> str:
    """Arguments of an optimizer with equal types together: 14 tables in one screen."""
    by_type: dict[str, list[str]] = {}
    for key in keys:
        by_type.setdefault(key.type, []).append(key.path.rpartition(".")[2])
    return "; ".join(f"{', '.join(names)}: {words}" for words, names in by_type.items())


def _key_lines(path: str, keys: Iterable[Key]) -> list[str]:
    """One block per key: its name, its default, then type, range and meaning."""
    lines = []
    for key in keys:
        name = key.path.removeprefix(f"{path}.")
        default = "required" if key.required else f"default {_short(key.default)}"
        if key.default == {} and key.type == "section":
            default = ""
        elif key.default == KERAS_DEFAULT:
            default = "default as in Keras"
        told = [key.type + (f", {key.limits}" if key.limits else ""), default, key.meaning]
        lines += _columns(f"  {name}", "; ".join(part for part in told if part), NAME_WIDTH)
    return lines


def _columns(name: str, text: str, width: int) -> list[str]:
    """A name and its text in the column beside it; a long name gets a line of its own."""
    indent = " " * (width + GAP)
    wrapped = textwrap.wrap(text, max(30, _width() - len(indent)), break_long_words=False)
    if len(name) > width:
        return [name, *(indent + line for line in wrapped)]
    first, *rest = wrapped or [""]
    return [f"{name.ljust(width)}{' ' * GAP}{first}".rstrip(), *(indent + line for line in rest)]


def _short(value: Any) -> str:
    """A default as one would write it in YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_short(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    return as_yaml(value)


def _hints(description: Description, keys: tuple[Key, ...]) -> list[str]:
    """How durations are written, and where nested sections are told."""
    lines = []
    if any("duration" in key.type for key in keys):
        lines.append(f"duration: {DURATION_WORDS}")
    deeper = [key.path for key in keys if key.path != description.path and _goes_on(key, keys)]
    if deeper:
        lines += _wrap(f"more: slimline options {' | '.join(dict.fromkeys(deeper))}")
    return ["", *lines] if lines else []


def _goes_on(key: Key, keys: tuple[Key, ...]) -> bool:
    nested = key.kinds or key.type.startswith("section")
    return bool(nested) and not any(one.path.startswith(f"{key.path}.") for one in keys)


def _wrap(text: str) -> list[str]:
    return textwrap.wrap(text, _width(), subsequent_indent="  ", break_long_words=False)


def _width() -> int:
    return min(MAX_WIDTH, shutil.get_terminal_size((MAX_WIDTH, 24)).columns)
