"""evaluate: each file of the bundle on the whole test split, read here and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import sha256_json
from pipeline.artifacts.fingerprint import describe_host
from pipeline.config.schema import Config
from pipeline.errors import PromiseError
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import load_splits, with_answers

if TYPE_CHECKING:
    import numpy as np

    from pipeline.compression.sizes import Sizes
    from pipeline.data.prepared import Split
    from pipeline.tasks.task import Task

# Noisy from run to run, so left out of the digest.
TIMED = frozenset({"latency_ms"})


def run(config: Config, context: Context) -> StageResult:
    """Measures quality, bytes, work, latency and RAM of each file as it ships."""
    from pipeline.tflite.interpreter import load
    from pipeline.tflite.micro import measure_arenas

    data = load_splits(config, context, "test")
    bundle = context.input("bundle")
    files = bundle.metrics["files"]
    paths = [bundle.file(file["file"]) for file in files]
    # Samples without answers: what the float file says, which export compared with Keras, counts.
    threads = config.evaluate.threads
    data = with_answers(data, "test", lambda x: load(paths[0], threads).predict(x))
    task, test = data.task, data.test
    arenas, all_sizes = measure_arenas(paths), _measure_sizes(paths)
    context.progress.begin("evaluate", len(files), "files")
    rows: list[dict[str, Any]] = []
    float_scores: np.ndarray | None = None
    for file, path, size, arena in zip(files, paths, all_sizes, arenas, strict=True):
        row, scores = _measure_file(file, path, task, test, config)
        row |= size.to_json()
        row["arena_bytes"], row["arena_note"] = arena
        row |= _compare_with_float(task, float_scores, scores)
        float_scores = scores if float_scores is None else float_scores
        row["raw_ratio"] = files[0]["size_bytes"] / row["size_bytes"]
        row["gzip_ratio"] = files[0]["size_bytes"] / row["gzip_bytes"]
        rows.append(row)
        context.progress.advance(1, **{task.metric: row[task.metric]})
    context.progress.end()
    metrics = {
        "split": "test",
        "samples": len(test),
        "seed": context.seed,
        "task": task.name,
        "metric": task.metric,
        "higher_is_better": task.higher_is_better,
        "class_names": list(task.class_names),
        "host": describe_host(),
        "files": rows,
    }
    repeatable = [{k: v for k, v in row.items() if k not in TIMED} for row in rows]
    return StageResult(metrics, sha256_json({"files": repeatable, "samples": len(test)}))


def _measure_sizes(paths: list[Path]) -> list[Sizes]:
    """Compresses the files side by side: xz takes a minute for a sparse one of 60 MB.

    Before anything is timed, and in threads: zlib and lzma let go of Python's lock.
    """
    from concurrent.futures import ThreadPoolExecutor

    from pipeline.compression.sizes import sizes

    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda path: sizes(path.read_bytes()), paths))


def _measure_file(
    file: dict[str, Any], path: Path, task: Task, test: Split, config: Config
) -> tuple[dict[str, Any], np.ndarray]:
    """Returns a file's row, and the metric of each sample (n,)."""
    import numpy as np

    from pipeline.tasks.details import details
    from pipeline.tasks.measure import measure, metric_interval, sample_scores
    from pipeline.tflite.inspect import inspect
    from pipeline.tflite.interpreter import load
    from pipeline.tflite.latency import measure_latency

    settings = config.evaluate
    outputs, answers = load(path, settings.threads).predict(test.x), test.y[:]
    if not np.isfinite(outputs).all():
        raise PromiseError(
            f"evaluate: {path.name} answers NaN or infinity on the test split, expected finite "
            "numbers; try another scheme"
        )
    scores = sample_scores(task, outputs, answers)
    figures = measure(task, outputs, answers)
    inspection = inspect(path)
    row = {
        "name": file["name"],
        "file": file["file"],
        task.metric: figures[task.metric],
        f"{task.metric}_interval": list(metric_interval(task, scores)),
        "loss": figures["loss"],
        "details": details(task, outputs, answers),
        "parameters": inspection.parameters,
        "non_zeros": inspection.non_zeros,
        "sparsity": inspection.sparsity,
        "entropy_bytes": inspection.entropy_bytes,
        "macs": inspection.total_macs,
        "latency_ms": measure_latency(path, settings.threads, settings.latency_runs),
    }
    return row, scores


def _compare_with_float(
    task: Task, float_scores: np.ndarray | None, scores: np.ndarray
) -> dict[str, Any]:
    """Compares a file with the float file on the same samples.

    McNemar's test where an answer is right or wrong; the mean difference of the metric with its
    95 % interval for the other tasks.
    """
    from pipeline.compression.statistics import mcnemar
    from pipeline.tasks.measure import mean_interval

    # The score of the task parity is the comparison with the float file itself.
    if float_scores is None or task.name == "parity":
        return {"mcnemar": None, "paired": None}
    if not task.has_labels:
        differences = scores - float_scores
        interval = list(mean_interval(differences))
        paired = {"difference": float(differences.mean()), "interval": interval}
        return {"mcnemar": None, "paired": paired}
    test = mcnemar(float_scores == 1.0, scores == 1.0)
    counts = {
        "float_only": test.first_only,
        "file_only": test.second_only,
        "p_value": test.p_value,
    }
    return {"mcnemar": counts, "paired": None}
