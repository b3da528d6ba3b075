"""A stage's key: a SHA-256 over everything that shapes its result."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

from pipeline.artifacts.files import sha256_json


def library_versions(distributions: Iterable[str]) -> dict[str, str]:
    """Returns the installed version of each distribution; "absent" where there is none."""
    versions = {}
    for name in distributions:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "absent"
    return versions


def describe_host() -> dict[str, Any]:
    """Names the machine: CPU, number of cores, platform, Python."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count() or 1,
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


@functools.cache
def cpu_name() -> str:
    """Returns the processor's name as the kernel tells it, else its architecture."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def stage_key(made_of: Mapping[str, Any]) -> str:
    """Returns the key of what `made_of` describes.

    Args:
        made_of: stage, version (of the stage's format), config (its sections), inputs (digests
            by role and stage), seed, libraries (versions that shape the result).
    """
    return sha256_json(dict(made_of))


def explain_change(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Says in a few words why the key of `new` differs from that of `old`."""
    for part, words in (("config", "{} changed"), ("libraries", "{} has another version")):
        changed = _changed_path(old.get(part, {}), new.get(part, {}))
        if changed:
            return words.format(changed)
    if old.get("seed") != new.get("seed"):
        return "run.seed changed"
    changed = _changed_path(old.get("inputs", {}), new.get("inputs", {}))
    if changed:
        return f"input {changed.partition('.')[0]} changed"
    return "the stage itself changed"


def _changed_path(old: Any, new: Any) -> str:
    """Returns the dotted path of the first difference, or ""."""
    if old == new:
        return ""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        return "value"
    for name in [*new, *(name for name in old if name not in new)]:
        if old.get(name) != new.get(name):
            inner = _changed_path(old.get(name), new.get(name))
            return name if inner in ("value", "") else f"{name}.{inner}"
    return ""
