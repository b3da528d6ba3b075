"""evaluate: each file of the bundle on the whole test split, read here and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import sha256_json
from pipeline.artifacts.fingerprint import describe_host
from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import load_splits

if TYPE_CHECKING:
    import numpy as np

    from pipeline.data.prepared import Split

# Noisy from run to run, so left out of the digest.
TIMED = frozenset({"latency_ms"})


def run(config: Config, context: Context) -> StageResult:
    """Measures accuracy, bytes, work, latency and RAM of each file as it ships."""
    from pipeline.tflite.micro import measure_arenas

    test = load_splits(config, context, "test").test
    bundle = context.input("bundle")
    files = bundle.metrics["files"]
    arenas = measure_arenas([bundle.file(file["file"]) for file in files])
    context.progress.begin("evaluate", len(files), "files")
    rows: list[dict[str, Any]] = []
    float_correct: np.ndarray | None = None
    for file in files:
        row, correct = _measure_file(file, bundle.file(file["file"]), test, config)
        row["arena_bytes"], row["arena_note"] = arenas[len(rows)]
        row["mcnemar"] = None if float_correct is None else _compare(float_correct, correct)
        float_correct = correct if float_correct is None else float_correct
        row["raw_ratio"] = files[0]["size_bytes"] / row["size_bytes"]
        row["gzip_ratio"] = files[0]["size_bytes"] / row["gzip_bytes"]
        rows.append(row)
        context.progress.advance(1, accuracy=row["accuracy"])
    context.progress.end()
    metrics = {
        "split": "test",
        "samples": len(test),
        "seed": context.seed,
        "host": describe_host(),
        "files": rows,
    }
    repeatable = [{k: v for k, v in row.items() if k not in TIMED} for row in rows]
    return StageResult(metrics, sha256_json({"files": repeatable, "samples": len(test)}))


def _measure_file(
    file: dict[str, Any], path: Path, test: Split, config: Config
) -> tuple[dict[str, Any], np.ndarray]:
    """Returns a file's row, and on which samples (n,) it is right."""
    from pipeline.compression.sizes import sizes
    from pipeline.compression.statistics import accuracy_interval, cross_entropy
    from pipeline.tflite.inspect import inspect
    from pipeline.tflite.interpreter import load
    from pipeline.tflite.latency import measure_latency

    settings = config.evaluate
    logits = load(path, settings.threads).predict(test.x)
    correct = logits.argmax(axis=1) == test.y
    size = sizes(path.read_bytes())
    inspection = inspect(path)
    row = {
        "name": file["name"],
        "file": file["file"],
        "accuracy": float(correct.mean()),
        "accuracy_interval": list(accuracy_interval(int(correct.sum()), len(correct))),
        "loss": cross_entropy(logits, test.y),
        "size_bytes": size.size_bytes,
        "gzip_bytes": size.gzip_bytes,
        "xz_bytes": size.xz_bytes,
        "parameters": inspection.parameters,
        "non_zeros": inspection.non_zeros,
        "sparsity": inspection.sparsity,
        "macs": inspection.total_macs,
        "latency_ms": measure_latency(path, settings.threads, settings.latency_runs),
    }
    return row, correct


def _compare(float_correct: np.ndarray, correct: np.ndarray) -> dict[str, Any]:
    """Returns McNemar's test of a file against the float file, on the same samples."""
    from pipeline.compression.statistics import mcnemar

    test = mcnemar(float_correct, correct)
    return {
        "float_only": test.first_only,
        "file_only": test.second_only,
        "p_value": test.p_value,
    }
