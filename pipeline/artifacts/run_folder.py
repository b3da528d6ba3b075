"""`artifacts/<run>/`: relative links into the store, and run.json."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import storage_errors, sync, write_json_atomic
from pipeline.artifacts.store import Store
from pipeline.errors import ArtifactError

RUN_FILE = "run.json"
RESERVED = frozenset({"store"})


def link_result(store: Store, run: str, stage: str, key: str) -> Path:
    """Points `artifacts/<run>/<stage>` at the result of `key`, atomically.

    Returns:
        The link's path.
    """
    folder = store.root / run
    link = folder / stage
    with storage_errors(link):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{stage}.{os.getpid()}.tmp"
        temporary.unlink(missing_ok=True)
        temporary.symlink_to(os.path.relpath(store.path(key), folder))
        temporary.replace(link)
        sync(folder)
    return link


def linked_keys(store: Store, run: str) -> dict[str, str]:
    """Returns stage → key of every link of a run."""
    folder = store.root / run
    if not folder.is_dir():
        return {}
    links = (path for path in sorted(folder.iterdir()) if path.is_symlink())
    return {path.name: Path(os.readlink(path)).name for path in links}


def remove_links(store: Store, run: str, keep: set[str]) -> None:
    """Removes the links of stages that the run's chain no longer has."""
    for stage in linked_keys(store, run):
        if stage not in keep and not stage.startswith("."):
            (store.root / run / stage).unlink(missing_ok=True)


def failed_folder(store: Store, run: str, stage: str) -> Path:
    """Where a stage leaves the best of what broke its promise: no result, and never reused."""
    return store.root / run / "failed" / stage


def list_runs(store: Store) -> list[str]:
    """Returns the names of all runs, sorted."""
    if not store.root.is_dir():
        return []
    folders = (path for path in store.root.iterdir() if path.is_dir())
    return sorted(path.name for path in folders if (path / RUN_FILE).is_file())


def write_run(store: Store, run: str, record: dict[str, Any]) -> None:
    """Writes the run's record."""
    write_json_atomic(store.root / run / RUN_FILE, record)


def read_run(store: Store, run: str) -> dict[str, Any]:
    """Reads the run's record.

    Raises:
        ArtifactError: there is no such run, or its record is torn.
    """
    path = store.root / run / RUN_FILE
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        known = ", ".join(list_runs(store)) or "none"
        raise ArtifactError(f"{store.root}: no run '{run}'; there are: {known}") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: unreadable ({error}); run its configuration again") from error
    return record
