"""Describes the configuration from its own models: keys, types, ranges, defaults, meanings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.config.duration import Duration
from pipeline.config.optimizer import OPTIMIZERS, OptimizerConfig
from pipeline.config.places import Place, all_paths, find_place, inside_of, key_name, values_of
from pipeline.config.type_words import Values

__all__ = ["all_paths", "describe"]

KERAS_DEFAULT = "as in Keras"
DURATION_WORDS = 'steps (300 or "300 steps"), "2 epochs", or a part of the training ("25%")'


@dataclass(frozen=True)
class Key:
    """One key of the configuration.

    Attributes:
        path: "train.early_stopping.patience".
        type: in words.
        limits: in words; "" for none.
        default: as JSON; None where it is required.
        required: True if there is no default.
        meaning: one line.
        kinds: names of the kinds among which a nested section is chosen.
    """

    path: str
    type: str
    limits: str
    default: Any
    required: bool
    meaning: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One of several shapes of a section.

    Attributes:
        name: what chooses it; several names that mean the same section are joined by commas.
        path: where more is told about it.
        meaning: one line.
        keys: those that are not shared, or not with this default.
        without: paths of shared keys that it does not have.
    """

    name: str
    path: str
    meaning: str
    keys: tuple[Key, ...]
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """A section, a kind or a single key.

    Attributes:
        path: "" for the whole configuration.
        base: the section that the keys belong to: "train.optimizer" for train.optimizer.sgd.
        meaning: one line.
        keys: with those of nested sections, each after the section itself.
        kinds: what a union or an optimizer's name chooses among.
        chosen_by: the key whose value names the kind; "" where the shape of the value does.
    """

    path: str
    base: str
    meaning: str
    keys: tuple[Key, ...]
    kinds: tuple[Kind, ...] = ()
    chosen_by: str = ""


def describe(path: str = "") -> Description:
    """Describes what stands at a path of the configuration.

    Args:
        path: "" (everything), "train", "train.schedule.cosine", "model.mlp", "run.seed".

    Raises:
        ConfigError: there is nothing of this name; with the nearest that there is.
    """
    return _describe_place(find_place(path))


def _describe_place(place: Place) -> Description:
    key = None
    if place.owner is not None:
        key = _describe_key(place.base, place.owner.model_fields[place.field])
    if not place.sections:
        assert key is not None
        return Description(place.path, place.base.rpartition(".")[0], key.meaning, (key,))
    models = list(place.sections.values())
    meaning = first_line(models[0]) if key is None else key.meaning
    if len(models) > 1:
        return Description(place.path, place.base, meaning, *_split_kinds(place), place.chosen_by)
    keys = tuple(_keys_below(inside_of(place), models[0], place.chosen_by))
    kinds: tuple[Kind, ...] = ()
    if place.optimizer:
        meaning = f"keras.optimizers.{OPTIMIZERS[place.optimizer][0]}"
        keys = (*keys, *_arguments(place.base, place.optimizer))
    elif models[0] is OptimizerConfig:
        kinds = tuple(_optimizer_kinds(place.base))
    return Description(place.path, place.base, meaning, keys, kinds, "name" if kinds else "")


def _split_kinds(place: Place) -> tuple[tuple[Key, ...], tuple[Kind, ...]]:
    """Tells the keys that half of the kinds have once, and with each kind what differs."""
    names: dict[type[BaseModel], list[str]] = {}
    for tag, model in place.sections.items():
        names.setdefault(model, []).append(tag)
    keys = {model: list(_keys_below(inside_of(place), model, place.chosen_by)) for model in names}
    versions: dict[str, list[Key]] = {}
    for key in (key for own in keys.values() for key in own):
        versions.setdefault(key.path, []).append(key)
    shared = {
        path: max(same, key=same.count)
        for path, same in versions.items()
        if len(same) >= max(len(keys) / 2, 2)
    }
    kinds = tuple(
        Kind(
            ", ".join(tags),
            f"{place.path}.{tags[0]}",
            first_line(model),
            tuple(key for key in keys[model] if shared.get(key.path) != key),
            tuple(path for path in shared if path not in {key.path for key in keys[model]}),
        )
        for model, tags in names.items()
    )
    return tuple(shared.values()), kinds


def _keys_below(path: str, model: type[BaseModel], chosen_by: str = "") -> Iterator[Key]:
    """Describes the keys of a section, and of the plain sections in it."""
    for name, info in model.model_fields.items():
        if name == chosen_by or (model is OptimizerConfig and name == "arguments"):
            continue
        key = _describe_key(f"{path}.{key_name(name, info)}" if path else name, info)
        yield key
        values = values_of(info)
        # Everything at once would be pages: unions, optimizers and the top level are told apart.
        if path and not key.kinds and OptimizerConfig not in values.sections.values():
            inside = f"{key.path}.{values.container}" if values.container else key.path
            for section in values.sections.values():
                yield from _keys_below(inside, section)


def _describe_key(path: str, info: FieldInfo) -> Key:
    values = values_of(info)
    required = info.is_required()
    kinds = tuple(tag for tag in values.sections if tag)
    return Key(
        path=path,
        type=values.words,
        limits=values.limits,
        default=None if required else _plain_default(info, values),
        required=required,
        meaning=meaning_of(info),
        kinds=kinds,
    )


def meaning_of(info: FieldInfo) -> str:
    """Returns a field's description; a section's own first line where the field has none."""
    if info.description:
        return info.description
    sections = list(values_of(info).sections.values())
    return first_line(sections[0]) if len(sections) == 1 else ""


def first_line(model: type[BaseModel]) -> str:
    """Returns the first line of a model's docstring."""
    return (model.__doc__ or "").strip().partition("\n")[0]


def _plain_default(info: FieldInfo, values: Values) -> Any:
    default = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, OptimizerConfig):
        return default.name
    if isinstance(default, BaseModel) and values.discriminator is not None:
        return getattr(default, values.discriminator)
    return _as_json(default)


def _as_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, Duration):
        return value.text()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _as_json(item) for key, item in value.items()}
    return [_as_json(item) for item in value] if isinstance(value, tuple | list) else value


def _arguments(path: str, name: str) -> Iterator[Key]:
    keras_class, arguments = OPTIMIZERS[name]
    for argument, kind in arguments.items():
        yield Key(
            path=f"{path}.{argument}",
            type=kind.words,
            limits="",
            default=KERAS_DEFAULT,
            required=False,
            meaning=f"of keras.optimizers.{keras_class}",
        )


def _optimizer_kinds(path: str) -> Iterator[Kind]:
    for name, (keras_class, _) in OPTIMIZERS.items():
        meaning = f"keras.optimizers.{keras_class}"
        yield Kind(name, f"{path}.{name}", meaning, tuple(_arguments(path, name)))
