"""`slimline clean`: results that no run links to, and work that nobody goes on with."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipeline.artifacts.files import storage_errors
from pipeline.artifacts.locks import is_locked
from pipeline.artifacts.run_folder import linked_keys
from pipeline.artifacts.store import Store


@dataclass(frozen=True)
class Reclaimable:
    """A folder that `clean` may delete."""

    path: Path
    key: str
    size_bytes: int


def all_linked_keys(store: Store) -> set[str]:
    """Returns the keys that some run links to, finished or not."""
    if not store.root.is_dir():
        return set()
    runs = (path.name for path in store.root.iterdir() if path.is_dir() and path != store.folder)
    return {key for run in runs for key in linked_keys(store, run).values()}


def find_reclaimable(store: Store) -> list[Reclaimable]:
    """Lists what no run links to and nobody is making now."""
    if not store.folder.is_dir():
        return []
    linked = all_linked_keys(store)
    results = [p for p in store.folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    work = list(store.work_folder.iterdir()) if store.work_folder.is_dir() else []
    unlinked = [path for path in results if path.name not in linked]
    found = []
    for path in sorted([*unlinked, *work]):
        key = path.name.partition(".")[0]
        if not is_locked(store.lock_folder / f"{key}.lock"):
            found.append(Reclaimable(path, key, _size_bytes(path)))
    return found


def reclaim(store: Store, items: list[Reclaimable]) -> int:
    """Deletes what is still reclaimable; returns the bytes that were freed."""
    freed = 0
    for item in items:
        # Under the key's lock, so that a run cannot find the result while it goes.
        with storage_errors(item.path), store.hold(item.key):
            if item.path.parent == store.folder and item.key in all_linked_keys(store):
                continue
            shutil.rmtree(item.path)
            freed += item.size_bytes
    return freed


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
