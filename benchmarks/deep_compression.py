"""LeNet-300-100 and LeNet-5 on MNIST beside Deep Compression and beside tfmot's own calls.

    python benchmarks/deep_compression.py lenet_300_100 --data mnist.npz    # three seeds
    python benchmarks/deep_compression.py lenet_5 --data mnist.npz          # one seed

For each seed: the shipped configuration (CASES) as `slimline run` does it, then the same work in
tfmot's calls (plain_tfmot.py: train, prune, cluster with preserved zeros, int8 after training;
same data, epochs, batch size and rates). Writes deep_compression.json. What is there, made with
these versions on this machine, is not made again; a run that was killed goes on where it was.
Choices were made on validation data; each file's test figure is read once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import pipeline
from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.child_process import child_environment
from pipeline.config.schema import Config
from pipeline.record import LIBRARIES

FOLDER = Path(__file__).resolve().parent
CONFIGS, RESULT = FOLDER.parent / "configs", FOLDER / "deep_compression.json"
# Where pruning ends, as a fraction of its training: round figure for both networks.
END = 0.8
CASES = {
    "lenet_300_100": ("mnist_lenet_300_100.yaml", (0, 1, 2)),
    "lenet_5": ("mnist_lenet_5.yaml", (0,)),
}
# Han et al., ICLR 2016, table 1: bytes of the parameters, Huffman-coded; no file that runs.
PUBLISHED = {
    "lenet_300_100": {"float_bytes": 1_070_000, "bytes": 27_000, "ratio": 40, "error": 0.0158},
    "lenet_5": {"float_bytes": 1_720_000, "bytes": 44_000, "ratio": 39, "error": 0.0074},
}
SHOWN = (
    "accuracy", "accuracy_interval", "size_bytes", "gzip_bytes", "xz_bytes", "entropy_bytes",
    "parameters", "non_zeros", "sparsity", "arena_bytes",
)  # fmt: skip


def read_result() -> dict[str, Any]:
    """Returns what was measured with these versions on this machine so far."""
    made_with = {"host": describe_host(), "versions": library_versions(LIBRARIES)}
    if RESULT.exists():
        found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
        if {name: found[name] for name in made_with} == made_with:
            return found
    return {**made_with, "published": PUBLISHED, "networks": {}}


def run_slimline(network: str, seed: int, data: Path, artifacts: Path) -> dict[str, Any]:
    """Runs the shipped configuration; returns the figures of each file."""
    name, _ = CASES[network]
    result = pipeline.run(
        CONFIGS / name,
        artifacts=artifacts,
        name=f"{network}_{seed}",
        overrides=[f"run.seed={seed}", f"data.path={data}"],
    )
    parameters = 4 * result.metrics["evaluate"]["files"][0]["parameters"]
    files = {
        file["name"]: {
            **{key: file[key] for key in SHOWN},
            "error": 1 - file["accuracy"],
            "ratio": parameters / file["gzip_bytes"],
        }
        for file in result.metrics["evaluate"]["files"]
    }
    return {
        "configuration": name,
        "files": files,
        "validation": {
            stage: result.metrics[stage]["validation"]["accuracy"]
            for stage in ("train", "narrow", "prune", "cluster")
        },
        "seconds": {stage: outcome.seconds for stage, outcome in result.stages.items()},
    }


def plan_plain(config: Config) -> list[dict[str, Any]]:
    """The same work for tfmot: training for as long as train and narrow, then prune and cluster.

    Every layer is pruned to the sparsity that the configuration gives it, but of its whole width,
    since tfmot removes no units; one number of clusters for all, since tfmot's call takes one.
    """
    train, prune, cluster = config.train, config.prune, config.cluster
    rates = [stage.optimizer.learning_rate for stage in (train, prune, cluster)]
    return [
        {"step": "train", "epochs": train.epochs + config.narrow.epochs, "learning_rate": rates[0]},
        {
            "step": "prune", "epochs": prune.epochs, "learning_rate": rates[1],
            "sparsity": prune.pruning_schedule.final_sparsity, "end": END,
            "layers": {
                name: layer.final_sparsity for name, layer in prune.layers.items()
            },
        },
        {
            "step": "cluster", "epochs": cluster.epochs, "learning_rate": rates[2],
            "number_of_clusters": cluster.number_of_clusters, "preserve_sparsity": True,
        },
    ]  # fmt: skip


def run_plain(network: str, seed: int, data: Path) -> dict[str, Any]:
    """Runs tfmot's calls in a process of their own; returns the figures of the int8 file."""
    config = pipeline.load_config(CONFIGS / CASES[network][0])
    steps = plan_plain(config)
    with tempfile.TemporaryDirectory() as folder:
        request, result = Path(folder) / "request.json", Path(folder) / "result.json"
        arrays = Path(folder) / "data.npz"
        np.savez(arrays, **split(data, seed))  # type: ignore[arg-type]
        chain = {"int8": {"steps": steps}}
        write_json_atomic(
            request,
            {
                "network": network, "data": str(arrays), "seed": seed, "weights": None,
                "batch_size": config.train.batch_size, "keep_files": None, "chains": chain,
            },
        )  # fmt: skip
        subprocess.run(
            [sys.executable, str(FOLDER / "plain_tfmot.py"), str(request), str(result)],
            env=child_environment(),
            check=True,
        )
        found = json.loads(result.read_bytes())["int8"]
    return {"steps": steps, "seconds": found["seconds"], **found["int8"]}


def split(data: Path, seed: int) -> dict[str, np.ndarray]:
    """Cuts a tenth of the training images for validation, and scales all to [0, 1]."""
    with np.load(data) as source:
        order = np.random.default_rng(seed).permutation(len(source["x_train"]))
        parts = {"val": order[: len(order) // 10], "train": order[len(order) // 10 :]}
        arrays = {
            f"{axis}_{part}": source[f"{axis}_train"][rows]
            for part, rows in parts.items()
            for axis in "xy"
        }
        arrays |= {f"{axis}_test": source[f"{axis}_test"] for axis in "xy"}
    return {
        name: values[..., None].astype(np.float32) / 255
        if name.startswith("x")
        else values.astype(np.int64)
        for name, values in arrays.items()
    }


def add_row(network: str, seed: int, side: str, row: dict[str, Any]) -> None:
    """Adds a row to what is there by now: the other network may be measured at the same time."""
    result = read_result()
    result["networks"].setdefault(network, {}).setdefault(str(seed), {})[side] = row
    write_json_atomic(RESULT, result)
    print(json.dumps({f"{network} {seed} {side}": row}), flush=True)


def main() -> None:
    """Measures what is missing of one network."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("network", choices=CASES)
    parser.add_argument("--data", type=Path, required=True, help="Keras's mnist.npz")
    parser.add_argument("--artifacts", type=Path, help="default: a folder that is deleted")
    chosen = parser.parse_args()
    if not chosen.data.is_file():
        parser.error(f"--data {chosen.data}: no such file; expected Keras's mnist.npz")
    data = chosen.data.resolve()
    with tempfile.TemporaryDirectory() as folder:
        artifacts = chosen.artifacts or Path(folder)
        for seed in CASES[chosen.network][1]:
            for side in ("slimline", "tfmot"):
                if side in read_result()["networks"].get(chosen.network, {}).get(str(seed), {}):
                    continue
                row = (
                    run_slimline(chosen.network, seed, data, artifacts)
                    if side == "slimline"
                    else run_plain(chosen.network, seed, data)
                )
                add_row(chosen.network, seed, side, row)


if __name__ == "__main__":
    main()
