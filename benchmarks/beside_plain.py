"""What the benchmarks of compression have in common: a run of Slimline beside one of plain tfmot.

Both sides begin at the same float weights, those of the run's stage `train`, and see the same
splits. Slimline's results are kept in the artifacts folder, those of the plain side beside them in
`plain/`; what is finished is not made again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.record import LIBRARIES
from pipeline.tflite.inspect import inspect

if TYPE_CHECKING:
    from pipeline.config.data import DataConfig
    from pipeline.results import RunResult

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
SHOWN = (
    "accuracy", "accuracy_interval", "size_bytes", "gzip_bytes", "xz_bytes", "sparsity", "macs",
    "parameters", "latency_ms", "arena_bytes", "mcnemar",
)  # fmt: skip


def parse_options(description: str) -> argparse.Namespace:
    """Returns `artifacts`, `data` (Fashion-MNIST as a .npz, or None to download it)."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--artifacts", type=Path, default=ROOT / "artifacts")
    chosen = parser.parse_args()
    folder = os.environ.get("SLIMLINE_DATA")
    chosen.data = None if folder is None else Path(folder) / "fashion_mnist.npz"
    return chosen


def load_settings(config: str, overrides: tuple[str, ...] = ()) -> Any:
    """Returns a shipped configuration by its name."""
    import pipeline

    return pipeline.load_config(ROOT / "configs" / f"{config}.yaml", overrides)


def run_ours(
    config: str, chosen: argparse.Namespace, name: str, overrides: tuple[str, ...] = ()
) -> RunResult:  # fmt: skip
    """Runs a shipped configuration; what is already there is not made again."""
    import pipeline

    overrides = (*overrides, *_local_data(chosen))
    print(f"{name}: slimline run configs/{config}.yaml {' '.join(overrides)}", flush=True)
    run = pipeline.run(
        ROOT / "configs" / f"{config}.yaml", artifacts=chosen.artifacts, name=name,
        overrides=overrides,
    )  # fmt: skip
    print(run.table(), flush=True)
    return run


def _local_data(chosen: argparse.Namespace) -> tuple[str, ...]:
    return () if chosen.data is None else (f"data.path={chosen.data}",)


def describe_run(run: RunResult) -> dict[str, Any]:
    """Returns what is told of a run of Slimline: its files, validation figures and times."""
    rows = run.metrics["evaluate"]["files"]
    files = {row["name"]: {key: row[key] for key in SHOWN if key in row} for row in rows}
    for name, path in run.files.items():
        files[name]["kernels"] = count_kernels(path)
    return {
        "files": files,
        "validation": {
            stage: metrics["validation"]["accuracy"]
            for stage, metrics in run.metrics.items()
            if "accuracy" in metrics.get("validation", {})
        },
        "seconds": {name: round(outcome.seconds, 1) for name, outcome in run.stages.items()},
    }


def count_kernels(path: Path) -> list[dict[str, Any]]:
    """Returns elements, zeros and distinct stored values of each kernel of a `.tflite` file."""
    return [
        {"name": kernel.name, "shape": list(kernel.shape), "scales": kernel.scales,
         **kernel.counts.to_json()} for kernel in inspect(path).kernels
    ]  # fmt: skip


def run_plain(
    config: str, run: RunResult, chosen: argparse.Namespace, chains: dict[str, Any],
    options: dict[str, Any] | None = None, overrides: tuple[str, ...] = (),
) -> dict[str, Any]:  # fmt: skip
    """Runs chains of plain tfmot in a process of its own, from the weights of the run's `train`.

    Args:
        config: a shipped configuration; `overrides` those of the run.
        run: of Slimline.
        chosen: what `parse_options` returned.
        chains, options: as plain_tfmot.py takes them.

    Returns:
        Chain → its files' figures, and `folder`, where the files are: `<chain>_<form>.tflite`.
    """
    settings = load_settings(config, (*overrides, *_local_data(chosen)))
    folder = chosen.artifacts.resolve() / "plain" / run.stages["train"].key[:16]
    folder.mkdir(parents=True, exist_ok=True)
    data, weights = folder / "data.npz", folder / "weights.npz"
    if not weights.exists():
        _write_inputs(settings.data, run, data, weights)
    request = {
        "network": settings.model.architecture, "options": options or {}, "data": str(data),
        "weights": str(weights), "seed": settings.run.seed,
        "batch_size": settings.train.batch_size, "chains": chains, "keep_files": str(folder),
    }  # fmt: skip
    write_json_atomic(folder / "request.json", request)
    result = folder / "result.json"
    command = [sys.executable, str(FOLDER / "plain_tfmot.py"), str(folder / "request.json")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run([*command, str(result)], check=True, env=environment)
    made: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return {"folder": folder, **made}


def _write_inputs(settings: DataConfig, run: RunResult, data: Path, weights: Path) -> None:
    """Writes the splits and the float weights of a run for the plain side."""
    import keras

    from pipeline.data.prepare import load_data

    splits = load_data(settings, run.folder / "data", ("train", "validation", "test")).splits
    arrays: dict[str, np.ndarray] = {}
    for name, short in (("train", "train"), ("validation", "val"), ("test", "test")):
        arrays[f"x_{short}"], arrays[f"y_{short}"] = splits[name].x[:], splits[name].y[:]
    np.savez(data, **arrays)  # type: ignore[arg-type]
    model = keras.models.load_model(run.stages["train"].path / "model.keras")
    np.savez(
        weights,
        **{
            f"{layer.name}:{place}": array
            for layer in model.layers
            for place, array in enumerate(layer.get_weights())
        },
    )


def write_result(name: str, result: dict[str, Any]) -> None:
    """Writes benchmarks/<name>.json with the machine and the versions."""
    told = {"host": describe_host(), "versions": library_versions(LIBRARIES)}
    write_json_atomic(FOLDER / f"{name}.json", result | told)
