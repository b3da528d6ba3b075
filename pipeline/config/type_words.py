"""Says in words what values a field of a configuration model takes."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from pipeline.config.duration import Duration

SCALARS: dict[Any, str] = {
    bool: "true | false",
    int: "integer",
    float: "number",
    str: "text",
    Path: "path",
    Duration: "duration",
    Any: "any value",
}
CONTAINERS = (tuple, list, dict)
# What needs no quotation marks where several values stand in one line.
PLAIN = re.compile(r"[\w.+/%:*-]([\w.+/%:* -]*[\w.+/%:*-])?")
BOUNDS = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern")


@dataclass(frozen=True)
class Values:
    """What values a field takes.

    Attributes:
        words: "integer", "adam | sgd", "list of integer", "section".
        limits: "≥ 1", "0 to 1", "> 0, at least 2 of them"; "" for none.
        sections: the configuration models inside, by their tag; the tag of a lone one is "".
        container: "*" when they are the values of a mapping, "[]" when the items of a list.
        discriminator: the key that chooses among several sections, None where their shape does.
    """

    words: str
    limits: str = ""
    sections: dict[str, type[BaseModel]] = field(default_factory=dict)
    container: str = ""
    discriminator: str | None = None


def describe_values(annotation: Any, metadata: Iterable[Any] = ()) -> Values:
    """Describes an annotation of a configuration model.

    Args:
        annotation: as pydantic keeps it: scalars, Literal, unions, tuple, dict, sections.
        metadata: constraints that go with it.

    Returns:
        The words; limits of items inside a list or a mapping are told with those of the whole.
    """
    metadata = [inner for one in metadata for inner in _unfold(one)]
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *more = get_args(annotation)
        return describe_values(base, [*more, *metadata])
    if origin in (Union, types.UnionType):
        return _describe_union(get_args(annotation), metadata)
    if origin is Literal:
        return Values(" | ".join(as_yaml(value) for value in get_args(annotation)))
    if origin in CONTAINERS:
        return _describe_container(origin, get_args(annotation), metadata)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        tag = next((one.tag for one in metadata if isinstance(one, Tag)), "")
        return Values("section", sections={tag: annotation})
    words = SCALARS.get(annotation, getattr(annotation, "__name__", str(annotation)))
    return Values(words, describe_limits(metadata, of_text=annotation is str))


def describe_limits(metadata: Iterable[Any], of_text: bool = False) -> str:
    """Describes constraints: "1 to 65,536", "≥ 0, < 1", "at least 2 of them", "not empty"."""
    bounds: dict[str, Any] = {}
    for one in metadata:
        if not isinstance(one, FieldInfo):  # a nested Field holds its constraints inside
            bounds |= {key: value for key, value in _bounds_of(one).items() if value is not None}
    parts = []
    if "ge" in bounds and "le" in bounds:
        parts.append(f"{_number(bounds.pop('ge'))} to {_number(bounds.pop('le'))}")
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    parts += [f"{sign} {_number(bounds[key])}" for key, sign in signs.items() if key in bounds]
    if "multiple_of" in bounds:
        parts.append(f"a multiple of {_number(bounds['multiple_of'])}")
    what = "characters" if of_text else "of them"
    if bounds.get("min_length") == 1 and of_text:
        parts.append("not empty")
    elif bounds.get("min_length"):
        parts.append(f"at least {bounds['min_length']} {what}")
    if "max_length" in bounds:
        parts.append(f"at most {bounds['max_length']} {what}")
    if "pattern" in bounds:
        parts.append(f"like {bounds['pattern']}")
    return ", ".join(parts)


def _bounds_of(constraint: Any) -> dict[str, Any]:
    """Reads the bounds that annotated_types and pydantic keep in small objects."""
    return {name: getattr(constraint, name, None) for name in BOUNDS}


def _unfold(one: Any) -> list[Any]:
    """A Field inside Annotated carries its constraints, and keeps the discriminator."""
    return [one, *one.metadata] if isinstance(one, FieldInfo) else [one]


def _describe_union(members: tuple[Any, ...], metadata: list[Any]) -> Values:
    parts = [describe_values(member) for member in members if member is not type(None)]
    key = _discriminator(metadata)
    sections = [section for part in parts for section in part.sections.items()]
    if len(parts) == 1:
        one = parts[0]
        inner = describe_limits(metadata)
        together = ", ".join(text for text in (one.limits, inner) if text)
        found = Values(one.words, together, one.sections, one.container, one.discriminator)
    elif len(sections) > 1:
        tagged = {
            name: model for tag, model in sections for name in ([tag] if tag else _tags(model, key))
        }
        choices = ", ".join(tagged)
        words = f"one of {choices}" if key is None else f"section, {key}: {choices}"
        plain = [part.words for part in parts if not part.sections]
        found = Values(" | ".join([*plain, words]), sections=tagged, discriminator=key)
    else:
        told = ", ".join(dict.fromkeys(part.limits for part in parts if part.limits))
        outer = describe_limits(metadata)
        nested = next((part for part in parts if part.sections), Values(""))
        found = Values(
            " | ".join(part.words for part in parts),
            ", ".join(text for text in (told, outer) if text),
            nested.sections,
            nested.container,
        )
    if type(None) not in members:
        return found
    return Values(
        f"{found.words} | null",
        found.limits,
        found.sections,
        found.container,
        found.discriminator,
    )


def _describe_container(origin: Any, arguments: tuple[Any, ...], metadata: list[Any]) -> Values:
    own = describe_limits(metadata)
    if origin is dict:
        key, item = describe_values(arguments[0]), describe_values(arguments[1])
        words, mark = f"mapping of {key.words} to {item.words}", "*"
    elif origin is tuple and Ellipsis not in arguments:
        items = [describe_values(argument) for argument in arguments]
        item, mark = items[0], "[]"
        words = f"[{', '.join(one.words for one in items)}]"
    else:
        item, mark = describe_values(arguments[0]), "[]"
        words = f"list of {item.words}"
    told = ", ".join(text for text in (item.limits, own) if text)
    container = mark + (f".{item.container}" if item.container else "") if item.sections else ""
    return Values(words, told, item.sections, container, item.discriminator)


def _discriminator(metadata: list[Any]) -> str | None:
    for one in metadata:
        key = getattr(one, "discriminator", None)
        if isinstance(key, str):
            return key
    return None


def _tags(model: type[BaseModel], discriminator: str | None) -> list[str]:
    if discriminator is None:
        return [model.__name__]
    return [str(value) for value in get_args(model.model_fields[discriminator].annotation)]


def as_yaml(value: Any) -> str:
    """Returns a plain value as one would write it in a configuration."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return value if PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
