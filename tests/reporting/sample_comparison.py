"""Two made-up runs to compare, and how they lie on disk."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.artifacts.manifest import Manifest, write_manifest
from pipeline.reporting.comparison import Run
from tests.reporting.sample_run import make_run

CHAIN = ["train", "tune", "prune", "quantize", "export", "evaluate"]


def make_record(name: str, run: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """run.json of a sample run, with settings changed by their dotted path."""
    config: dict[str, Any] = copy.deepcopy(run["config"]) | {"stages": CHAIN}
    config["run"] = {"name": name, "seed": run["seed"]}
    for path, value in changes.items():
        section, key = path.split("__")
        config.setdefault(section, {})[key] = value
    return {
        "name": name,
        "seed": run["seed"],
        "config": config,
        "config_name": f"configs/{name}.yaml",
        "stages": [
            {
                **{k: e[k] for k in ("stage", "digest", "seconds", "cached")},
                "key": f"{name}{e['stage']}",
            }
            for e in run["stages"]
        ],
        "host": run["host"],
        "versions": run["versions"],
        "updated": run["created"],
    }


def sample_run(name: str, run: dict[str, Any] | None = None, **changes: Any) -> Run:
    """A run with its metrics."""
    run = make_run() if run is None else run
    metrics = {entry["stage"]: entry["metrics"] for entry in run["stages"]}
    return Run(make_record(name, run, **changes), metrics)


def sample_runs() -> list[Run]:
    """Two runs that differ in two settings."""
    return [
        sample_run("first", train__epochs=40),
        sample_run("second", train__epochs=60, prune__final_sparsity=0.9),
    ]


def write_sample(artifacts: Path, run: Run) -> None:
    """Writes run.json and the manifests of a run as the runner would."""
    folder = artifacts / run.name
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(run.record), encoding="utf-8")
    for entry in run.record["stages"]:
        stored = artifacts / "store" / entry["key"]
        stored.mkdir(parents=True)
        manifest = Manifest(
            stage=entry["stage"], key=entry["key"], made_of={}, digest=entry["digest"], files={},
            metrics=dict(run.metrics[entry["stage"]]), notes=(), seconds=entry["seconds"],
            created="", host={}, versions={},
        )  # fmt: skip
        assert asdict(manifest)["format"] == manifest.format
        write_manifest(stored, manifest)
