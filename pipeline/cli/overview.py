"""What `status`, `show` and `clean` print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.artifacts.clean import Reclaimable
from pipeline.artifacts.manifest import read_manifest
from pipeline.artifacts.run_folder import linked_keys, list_runs, read_run
from pipeline.artifacts.store import Store
from pipeline.errors import ArtifactError
from pipeline.reporting.tables import evaluation_table, format_table, sizes_table
from pipeline.reporting.units import format_bytes


def list_all_runs(artifacts: Path) -> list[dict[str, Any]]:
    """Returns name, finished stages and time of every run."""
    store = Store(artifacts)
    rows = []
    for name in list_runs(store):
        record = read_run(store, name)
        done = [stage["stage"] for stage in record["stages"]]
        chain = ["data", *record["config"]["stages"]]
        state = "complete" if set(chain) <= set(done) else f"up to {done[-1]}"
        rows.append({"run": name, "state": state, "updated": record["updated"]})
    return rows


def list_stages(artifacts: Path, run: str) -> list[dict[str, Any]]:
    """Returns state, seconds, time and key of every stage in a run's chain."""
    store = Store(artifacts)
    record = read_run(store, run)
    links = linked_keys(store, run)
    recorded = {stage["stage"]: stage["key"] for stage in record["stages"]}
    rows = []
    for stage in ("data", *record["config"]["stages"]):
        row: dict[str, Any] = {"stage": stage, "state": "missing", "seconds": None, "key": None}
        key = links.get(stage)
        if key is not None:
            row["key"] = key
            try:
                manifest = read_manifest(store.path(key))
            except ArtifactError:
                row["state"] = "corrupt"
            else:
                row["state"] = "done" if recorded.get(stage) == key else "of an older run"
                row["seconds"] = manifest.seconds
        rows.append(row)
    return rows


def describe_run(artifacts: Path, run: str) -> dict[str, Any]:
    """Returns run.json with the figures of every stage that is there."""
    store = Store(artifacts)
    record = read_run(store, run)
    record["metrics"] = {
        stage["stage"]: read_manifest(store.path(stage["key"])).metrics
        for stage in record["stages"]
    }
    return record


def format_rows(rows: list[dict[str, Any]]) -> str:
    """Returns rows with equal keys as a table."""
    if not rows:
        return "no runs yet; start with: slimline run configs/digits.yaml"
    texts = [[_text(key, value) for key, value in row.items()] for row in rows]
    return format_table(tuple(rows[0]), texts)


def format_run(record: dict[str, Any]) -> str:
    """Returns what a person wants to see of a run."""
    lines = [f"run {record['name']}, seed {record['seed']}, {record['updated']}"]
    for stage in record["stages"]:
        lines.append(f"  {stage['stage']:<9} {stage['seconds']:8.1f} s  {stage['key'][:12]}")
    if record["figures"] is not None:
        lines += [evaluation_table(record["figures"]), sizes_table(record["figures"])]
    return "\n".join(lines)


def format_reclaimable(items: list[Reclaimable]) -> str:
    """Returns what would be deleted, and its size."""
    if not items:
        return "nothing to reclaim"
    rows = [
        (
            "interrupted work" if item.path.parent.name == ".work" else "result of no run",
            item.key[:12],
            format_bytes(item.size_bytes),
        )
        for item in items
    ]
    total = format_bytes(sum(item.size_bytes for item in items))
    return format_table(("what", "key", "size"), rows) + f"\n{total} in all"


def _text(key: str, value: Any) -> str:
    if value is None:
        return "–"
    if key == "key":
        return str(value)[:12]
    return f"{value:.1f}" if isinstance(value, float) else str(value)
