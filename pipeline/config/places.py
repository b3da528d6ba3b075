"""Finds the sections, kinds and keys that dotted paths of the configuration name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.config.optimizer import OPTIMIZERS, OptimizerConfig
from pipeline.config.schema import Config
from pipeline.config.suggest import did_you_mean
from pipeline.config.type_words import Values, describe_values
from pipeline.errors import ConfigError

MARKS = ("*", "[]")  # for the keys of a mapping and the items of a list in a path


@dataclass(frozen=True)
class Place:
    """Where a path leads: sections by tag, or a field; `base` is the path without kinds."""

    path: str
    base: str
    sections: dict[str, type[BaseModel]]
    container: str = ""
    chosen_by: str = ""
    owner: type[BaseModel] | None = None
    field: str = ""
    optimizer: str = ""


def find_place(path: str) -> Place:
    """Returns the place of a path such as "train.schedule.cosine"; "" is the whole.

    Raises:
        ConfigError: there is nothing of this name; with the nearest that there is.
    """
    place = Place("", "", {"": Config})
    for part in path.split(".") if path else ():
        if part in MARKS and place.sections:
            continue
        inner = enter(place, part)
        if inner is None:
            where = f" in {place.path}" if place.path else ""
            raise ConfigError(f"{path}: no '{part}'{where}{_suggest(path)}")
        place = inner
    return place


def all_paths() -> list[str]:
    """Returns every path that `describe` knows, sections before what is in them."""
    return list(_walk(Place("", "", {"": Config})))


def _walk(place: Place) -> Iterator[str]:
    if place.path:
        yield place.path
    names: list[str] = [tag for tag in place.sections if tag]
    if place.sections == {"": OptimizerConfig} and not place.optimizer:
        names += OPTIMIZERS
    if len(place.sections) == 1:
        names += [key_name(name, info) for name, info in _fields(place)]
    for name in dict.fromkeys(names):
        inner = enter(place, name)
        if inner is not None and inner.path != place.path:
            yield from _walk(inner)


def _fields(place: Place) -> Iterator[tuple[str, FieldInfo]]:
    for model in place.sections.values():
        for name, info in model.model_fields.items():
            if not (model is OptimizerConfig and name == "arguments"):
                yield name, info


def enter(place: Place, part: str) -> Place | None:
    """Returns the place one step deeper: a kind, an optimizer or a key."""
    path = f"{place.path}.{part}" if place.path else part
    if part and part in place.sections:
        section = {"": place.sections[part]}
        return Place(path, place.base, section, place.container, place.chosen_by)
    if place.sections == {"": OptimizerConfig} and part in OPTIMIZERS:
        return Place(path, place.base, place.sections, optimizer=part)
    if part and part == place.chosen_by:
        return place
    base = f"{place.base}.{part}" if place.base else part
    for model in place.sections.values():
        for name, info in model.model_fields.items():
            if key_name(name, info) == part:
                values = values_of(info)
                return Place(
                    path, base, values.sections, values.container, values.discriminator or "",
                    model, name,
                )  # fmt: skip
    return None


def inside_of(place: Place) -> str:
    return f"{place.base}.{place.container}" if place.container else place.base


def values_of(info: FieldInfo) -> Values:
    """Describes what values a field takes."""
    return describe_values(info.annotation, [info, *info.metadata])


def key_name(name: str, info: FieldInfo) -> str:
    return info.alias or name


def _suggest(path: str) -> str:
    known = all_paths()
    same = [one for one in known if one.rpartition(".")[2] == path.rpartition(".")[2]]
    if same:
        return f"; did you mean '{min(same, key=lambda one: one.count('.'))}'?"
    near = did_you_mean(path, known)
    return near if "did you mean" in near else f"; there are: {', '.join(Config.model_fields)}"
