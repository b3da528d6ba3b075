"""From a YAML file, or a dictionary, and overrides to a checked `Config`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.config.explain import explain
from pipeline.config.model_file import complete_model_file
from pipeline.config.schema import Config
from pipeline.config.yaml_file import parse_yaml
from pipeline.errors import ConfigError

_PATH_KEYS = ("path", "validation_path", "test_path")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Reads a configuration file and checks all of it.

    Args:
        path: a YAML file. Paths in its data section are relative to its folder;
            `${NAME}` in them is replaced by that environment variable.
        overrides: "path.to.key=value" each; the value is YAML, checked like the file's.

    Returns:
        The configuration; `run.name` is the file's name without its ending unless given.

    Raises:
        ConfigError: with the file, the field, what was received and what was expected.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; give the path of a YAML configuration") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text: {error}") from error
    try:
        values = parse_yaml(text)
        values = {} if values is None else values
        if not isinstance(values, dict):
            raise ConfigError(f"expected sections, received {type(values).__name__}")
        _anchor_data_paths(values, path.parent)
        for override in overrides:
            _assign(values, *parse_override(override))
        _expand_data_paths(values)
        _name_by_file(values, path.stem)
        return validate(values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def parse_override(override: str) -> tuple[str, Any]:
    """Splits "path.to.key=value" and reads the value as YAML.

    Raises:
        ConfigError: there is no "=" or no path before it.
    """
    path, separator, value = override.partition("=")
    if not separator or not path.strip():
        raise ConfigError(f"--set {override}: expected path.to.key=value")
    return path.strip(), parse_yaml(value)


def validate(values: Mapping[str, Any]) -> Config:
    """Checks a whole configuration given as plain data.

    Raises:
        ConfigError: one line for the first fault: field, received, expected.
    """
    # Here and not in the schema: behind a validator of the whole, JSON counts as Python.
    values = complete_model_file(values)
    try:
        # As JSON, because pydantic's strict mode then takes a list for a tuple.
        return Config.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        raise ConfigError(explain(error, values)) from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"expected plain data: {error}") from error


def apply_overrides(config: Config, values: Mapping[str, Any]) -> Config:
    """Returns a copy of `config` in which the fields named by dotted paths have new values.

    Args:
        values: path → value, e.g. {"train.optimizer.learning_rate": 0.01}.

    Raises:
        ConfigError: as `validate`.
    """
    data = as_plain_data(config)
    for path, value in values.items():
        _assign(data, path, value)
    return validate(data)


def as_plain_data(section: BaseModel) -> dict[str, Any]:
    """Returns a section as JSON types, every field included, in a form `validate` reads."""
    data: dict[str, Any] = section.model_dump(mode="json", by_alias=True)
    return data


def _anchor_data_paths(values: dict[str, Any], folder: Path) -> None:
    """Makes paths of the file relative to its folder; what a variable starts is left as it is."""
    for data, key, path in _data_paths(values):
        if not path.startswith("${"):
            data[key] = str(folder / Path(path).expanduser())


def _expand_data_paths(values: dict[str, Any]) -> None:
    """Replaces `${NAME}` by environment variables, in the file's paths and in overrides."""
    for data, key, path in _data_paths(values):
        for name in _VARIABLE.findall(path):
            if not os.environ.get(name):
                field = f"{'model' if data is values.get('model') else 'data'}.{key}"
                raise ConfigError(
                    f"{field}: the environment variable {name} is unset, expected a folder; "
                    f"export {name}=…, or give --set {field}=…"
                )
        data[key] = _VARIABLE.sub(lambda found: os.environ[found.group(1)], path)


def _data_paths(values: dict[str, Any]) -> list[tuple[dict[str, Any], str, str]]:
    """Returns (section, key, path) of each path to data or weights."""
    found: list[tuple[dict[str, Any], str, str]] = []
    data, model = values.get("data"), values.get("model")
    if isinstance(data, dict):
        found += [(data, key, data[key]) for key in _PATH_KEYS if isinstance(data.get(key), str)]
    if isinstance(model, dict):
        found += [
            (model, key, model[key])
            for key in ("weights", "path")
            if isinstance(model.get(key), str) and model[key] not in ("none", "imagenet")
        ]
    return found


def _name_by_file(values: dict[str, Any], stem: str) -> None:
    run = values.setdefault("run", {})
    if isinstance(run, dict) and run.get("name") is None:
        run["name"] = stem


def _assign(values: dict[str, Any], path: str, value: Any) -> None:
    """Sets a nested key; keys with dots in their names (search spaces) go by longest match."""
    *parents, last = path.split(".")
    for depth, key in enumerate(parents):
        if depth == 1 and parents[0] == "tune" and key == "search_space":
            values.setdefault(key, {})[".".join([*parents[2:], last])] = value
            return
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"{path}: '{key}' is a value, not a section")
        values = inner
    values[last] = value
