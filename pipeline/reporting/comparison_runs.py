"""Finds and reads the runs that are to be compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.artifacts.manifest import read_manifest
from pipeline.artifacts.run_folder import RUN_FILE, list_runs, read_run
from pipeline.artifacts.store import Store
from pipeline.errors import ConfigError
from pipeline.reporting.comparison import LETTERS, Run


def read_runs(artifacts: Path, names: Sequence[str]) -> list[Run]:
    """Reads runs by name, or by the path of their folder.

    Args:
        artifacts: the artifacts folder that names are looked up in.
        names: two or more, all different.

    Raises:
        ConfigError: fewer than two runs, too many, or one of them twice.
        ArtifactError: a run or one of its results is missing or torn.
    """
    known = ", ".join(list_runs(Store(artifacts))) or "none"
    if len(names) < 2:
        raise ConfigError(
            f"compare: {len(names)} run{'' if len(names) == 1 else 's'} given, expected two or "
            f"more; {artifacts} has: {known}"
        )
    if len(names) > len(LETTERS):
        raise ConfigError(f"compare: {len(names)} runs given, expected at most {len(LETTERS)}")
    places = [find_run(artifacts, name) for name in names]
    for index, place in enumerate(places):
        if place in places[:index]:
            raise ConfigError(f"compare: run '{names[index]}' is given twice; give another one")
    return [read_one(*place) for place in places]


def find_run(artifacts: Path, name: str) -> tuple[Path, str]:
    """The artifacts folder and the name of a run; a path to a run's folder is taken as it is."""
    folder = Path(name)
    if len(folder.parts) > 1 and (folder / RUN_FILE).is_file():
        return folder.parent.resolve(), folder.name
    return artifacts.resolve(), name


def read_one(artifacts: Path, name: str) -> Run:
    """Reads a run's record and the metrics of its stages."""
    store = Store(artifacts)
    record = read_run(store, name)
    metrics = {
        entry["stage"]: read_manifest(store.path(entry["key"])).metrics
        for entry in record["stages"]
    }
    return Run(record, metrics)
