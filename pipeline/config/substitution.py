"""Puts a trial's hyperparameters into a configuration, also those that switch a kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.config.load import as_plain_data, validate
from pipeline.config.schema import Config
from pipeline.errors import ConfigError

QAT = "quantize.qat"


def substitute(config: Config, values: Mapping[str, Any]) -> Config:
    """Returns a copy of `config` with new values at dotted paths.

    A value that switches the kind of a section takes its keys with it: another
    `model.architecture` or `*.schedule.kind` starts from that kind's defaults, another
    `optimizer.name` from no arguments. What else is in `values` is set after that.

    Args:
        values: path → value, e.g. {"model.architecture": "ds_cnn", "model.filters": 8}.

    Raises:
        ConfigError: as `config.load.validate`.
    """
    data = as_plain_data(config)
    if data["quantize"]["qat"] is None and any(path.startswith(f"{QAT}.") for path in values):
        data["quantize"]["qat"] = as_plain_data(config.quantize.fine_tuning)
    for path in sorted(values, key=lambda path: (not is_switch(path), path)):
        section, key = _find(data, path)
        if is_switch(path) and section.get(key) != values[path]:
            _forget_old_kind(section, key)
        section[key] = values[path]
    return validate(data)


def is_switch(path: str) -> bool:
    """True for the paths whose value decides which other keys their section has."""
    *parents, last = path.split(".")
    if path == "model.architecture":
        return True
    parent = parents[-1] if parents else ""
    return (last == "kind" and parent.endswith("schedule")) or (
        last == "name" and parent == "optimizer"
    )


def _forget_old_kind(section: dict[str, Any], key: str) -> None:
    if key == "name":
        section["arguments"] = {}
    else:
        section.clear()


def _find(data: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """Returns the section that holds the last key of a path, and that key."""
    *parents, last = path.split(".")
    section: Any = data
    for depth, name in enumerate(parents):
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            where = ".".join(parents[: depth + 1])
            raise ConfigError(f"{path}: '{where}' is {section!r} in the configuration, no section")
    return section, last
