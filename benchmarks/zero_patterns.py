"""Zeros in patterns against single zeros: bytes, and time under each runtime.

    SLIMLINE_DATA=… python benchmarks/zero_patterns.py

small_cnn of configs/fashion_mnist_cnn.yaml on 10,000 images (seed 0) is pruned in each pattern by
the stage `prune`, all but its first convolution and its logits, and quantized after training. Every
file is timed in turn, round after round, in CPU time of its thread, so that what else the machine
does falls out, or on all of them alike; the median of the rounds counts. LiteRT (XNNPACK, one
thread) and TFLite Micro on this host. The pruned float model is also converted with TensorFlow's
Optimize.EXPERIMENTAL_SPARSITY, which no stage uses. Goes on where it was stopped; writes
zero_patterns.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.files import write_json_atomic
from pipeline.artifacts.fingerprint import describe_host, library_versions
from pipeline.record import LIBRARIES

ROOT = Path(__file__).resolve().parent.parent
RESULT = Path(__file__).resolve().parent / "zero_patterns.json"
SKIPPED = {"conv_1": {"skip": True}, "logits": {"skip": True}}
TRAINING = (
    "data.max_train_samples=10000", "train.epochs=6", "prune.epochs=4",
    "quantize={method: ptq, schemes: [int8]}", f"prune.layers={SKIPPED}",
    "prune.distribution=uniform",
)  # fmt: skip
GRADUAL = "prune.pruning_schedule.frequency=10"
ONCE = "prune.pruning_schedule={kind: once}"
# Name → overrides; None: not pruned.
CASES: dict[str, tuple[str, ...] | None] = {
    "dense": None,
    "single, 50 %": (
        GRADUAL,
        "prune.pruning_schedule.final_sparsity=0.5",
    ),
    "2 of 4": ("prune.sparsity_m_by_n=[2, 4]", ONCE),
    "single, 80 %": (GRADUAL,),
    "blocks of 4 × 1, 80 %": (
        GRADUAL,
        "prune.block_size=[4, 1]",
    ),
    "blocks of 1 × 4, 80 %": (
        GRADUAL,
        "prune.block_size=[1, 4]",
    ),
    "blocks of 4 × 4, 80 %": (
        GRADUAL,
        "prune.block_size=[4, 4]",
    ),
}
ROUNDS, INVOKES = 10, 20


def make(name: str, overrides: tuple[str, ...] | None, folder: Path) -> dict[str, Any]:
    """Runs the chain of one case; returns its files and figures."""
    import pipeline

    stages = ["train", "quantize", "export"]
    if overrides is not None:
        stages.insert(1, "prune")
    data = Path(os.environ["SLIMLINE_DATA"]) / "fashion_mnist.npz"
    given = (*TRAINING, f"data.path={data}", f"stages={stages}", *(overrides or ()))
    run = "".join(character if character.isalnum() else "-" for character in name)
    config = ROOT / "configs" / "fashion_mnist_cnn.yaml"
    found = pipeline.run(config, artifacts=folder, name=run, overrides=given)
    place = folder / run
    pruned = found.metrics.get("prune")
    model = "prune" if pruned else "train"
    sparse = None
    if pruned:
        sparse = encode_sparsely(place / model / "model.keras", place / "sparse.tflite")
    files = {
        "float": place / "export" / ("pruned.tflite" if pruned else "float.tflite"),
        "int8": place / "export" / "int8.tflite",
        **({"sparse float": sparse} if sparse else {}),
    }
    return {
        "files": files,
        "sparsity": pruned["sparsity"] if pruned else 0.0,
        "validation": found.metrics["quantize"]["files"][0]["validation"],
    }


def encode_sparsely(model: Path, target: Path) -> Path:
    """Converts with Optimize.EXPERIMENTAL_SPARSITY, the encoding of schema.fbs for sparse tensors.

    In the repository no file may be made so: its int8 files do not run.
    """
    if target.exists():
        return target
    import tensorflow as tf

    from pipeline.bridge.conversion import save_for_conversion
    from pipeline.models.files import load_model

    with tempfile.TemporaryDirectory() as saved:
        save_for_conversion(load_model(model), Path(saved))
        converter = tf.lite.TFLiteConverter.from_saved_model(saved)
        converter.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]
        target.write_bytes(converter.convert())
    return target


def timer(path: Path, runtime: str) -> Any:
    """Returns a function that times INVOKES invokes of a file: median CPU milliseconds of one."""
    if runtime == "tflite-micro":
        from tflite_micro import runtime as micro

        interpreter = micro.Interpreter.from_file(str(path), arena_size=1 << 20)
        details = interpreter.get_input_details(0)
        interpreter.set_input(np.zeros(details["shape"], details["dtype"]), 0)
    else:
        # Slimline's own reader refuses files in the sparse form.
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
        details = interpreter.get_input_details()[0]
        samples = np.random.default_rng(0).random(details["shape"], np.float32)
        interpreter.set_tensor(details["index"], (100 * samples).astype(details["dtype"]))

    def measure() -> float:
        times = []
        for _ in range(INVOKES):
            start = time.thread_time_ns()
            interpreter.invoke()
            times.append(time.thread_time_ns() - start)
        return statistics.median(times) / 1e6

    return measure


def main() -> None:
    """Makes every case, times all files in turn, and writes and prints the table."""
    from pipeline.compression.sizes import gzip_size
    from pipeline.runtime import start_tensorflow

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--artifacts", type=Path, default=ROOT / "artifacts" / "zero_patterns")
    folder = parser.parse_args().artifacts
    start_tensorflow(0)
    cases = {name: make(name, overrides, folder) for name, overrides in CASES.items()}
    timers = {
        (name, kind, runtime): timer(path, runtime)
        for name, case in cases.items()
        for kind, path in case["files"].items()
        for runtime in ("LiteRT", "tflite-micro")
        if runtime == "LiteRT" or kind == "int8"
    }
    times: dict[tuple[str, str, str], list[float]] = {key: [] for key in timers}
    for _ in range(ROUNDS):
        for key, measure in timers.items():
            times[key].append(measure())
    rows = []
    for name, case in cases.items():
        files = {
            kind: {
                "size_bytes": path.stat().st_size,
                "gzip_bytes": gzip_size(path.read_bytes()),
                "cpu_ms": {
                    runtime: statistics.median(times[key])
                    for runtime in ("LiteRT", "tflite-micro")
                    if (key := (name, kind, runtime)) in times
                },
            }
            for kind, path in case["files"].items()
        }
        figures = {key: case[key] for key in ("sparsity", "validation")}
        rows.append({"name": name, **figures, "files": files})
        print(name, figures["sparsity"], figures["validation"]["accuracy"], files, sep="\t")
    write_json_atomic(
        RESULT,
        {
            "samples": 10_000,
            "rounds": ROUNDS, "invokes": INVOKES, "rows": rows, "host": describe_host(),
            "versions": {
                **library_versions(LIBRARIES),
                "tflite-micro": importlib.metadata.version("tflite-micro"),
            },
        },
    )  # fmt: skip


if __name__ == "__main__":
    main()
