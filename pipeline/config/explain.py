"""Turns pydantic's faults into one line a user can act on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from pipeline.config.schema import Config
from pipeline.config.suggest import did_you_mean


def explain(error: ValidationError, values: Mapping[str, Any]) -> str:
    """Returns one line for the first fault (field, received, expected) and counts the others.

    Args:
        error: what pydantic raised for the configuration.
        values: the plain data that was checked.
    """
    # A default that depends on other keys is not made once one of them is at fault: no news.
    faults = [
        fault
        for fault in error.errors(include_url=False)
        if fault["type"] != "default_factory_not_called"
    ]
    fault = faults[0]
    location = _readable_location(fault["loc"], values)
    field = ".".join(location) or "configuration"
    kind, message = fault["type"], fault["msg"]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    if kind == "extra_forbidden":
        known = _known_keys(location[:-1], values)
        where = ".".join(location[:-1])
        return (
            f"{field}: unknown key{f' in {where}' if where else ''}"
            f"{did_you_mean(location[-1], known)}{more}"
        )
    if kind == "missing":
        return f"{field}: missing; give a value{more}"
    if kind == "union_tag_not_found":
        tag_key = str(fault.get("ctx", {}).get("discriminator", "")).strip("'")
        return f"{field}.{tag_key}: missing; say which one{more}"
    if kind == "union_tag_invalid":
        expected = fault.get("ctx", {}).get("expected_tags", "")
        received = fault.get("ctx", {}).get("tag", "")
        choices = [tag.strip(" '") for tag in str(expected).split(",")]
        tag_key = str(fault.get("ctx", {}).get("discriminator", "")).strip("'")
        return (
            f"{field}.{tag_key}: received {received!r}{did_you_mean(str(received), choices)}{more}"
        )
    message = message.removeprefix("Value error, ").removeprefix("Input should be ")
    received = _shorten(fault.get("input"))
    if kind == "value_error":
        # A fault between sections names its field itself.
        return f"{field}: {message}{more}" if location else f"{message}{more}"
    return f"{field}: received {received}, expected {message}{more}"


def _readable_location(location: tuple[int | str, ...], values: Any) -> list[str]:
    """Drops the union tags that pydantic puts between the keys of the file."""
    readable: list[str] = []
    for position, part in enumerate(location):
        if isinstance(values, Mapping) and part in values:
            readable.append(str(part))
            values = values[part]
        elif isinstance(values, list) and isinstance(part, int):
            readable.append(str(part))
            values = values[part] if part < len(values) else None
        elif isinstance(values, Mapping) and part in values.values():
            continue  # the tag of a union, as in {kind: cosine}
        elif position == len(location) - 1 and readable[-1:] != [str(part)]:
            readable.append(str(part))
    return readable


def _known_keys(location: list[str], values: Any) -> list[str]:
    """Returns the keys that the section at `location` accepts."""
    model: Any = Config
    for part in location:
        values = values.get(part) if isinstance(values, Mapping) else None
        model = _section_type(model, part, values)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _section_type(model: Any, part: str, values: Any) -> Any:
    """Returns the section class that a field holds; in a union the one the tag names."""
    field = model.model_fields.get(part)
    if field is None:
        return None
    members = [m for m in _flatten(field.annotation) if isinstance(m, type)]
    sections = [m for m in members if issubclass(m, BaseModel)]
    if len(sections) <= 1 or not isinstance(values, Mapping):
        return sections[0] if sections else None
    tag = values.get(field.discriminator) if field.discriminator else None
    for section in sections:
        inner = section.model_fields.get(field.discriminator or "")
        if inner is not None and tag in (*get_args(inner.annotation), inner.default):
            return section
    return sections[0]


def _flatten(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [leaf for part in inner for leaf in _flatten(part)] if inner else [annotation]


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
