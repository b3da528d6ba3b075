"""Logs a finished run to a local MLflow store: settings, curves, figures, files.

MLflow is an optional extra (`slimline[mlflow]`) and is imported here only.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.config.mlflow import MlflowConfig
from pipeline.errors import ConfigError, StorageError
from pipeline.reporting.comparison import flatten
from pipeline.reporting.units import is_number

# MLflow 3.17.2 raises on a folder of files unless this is set: it keeps the format, but adds
# nothing to it (tests/reporting/test_mlflow_store.py fails when that is over). And it reports
# its use over the network unless it is told not to.
ENVIRONMENT = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
KEY_TAG = "slimline.key"
# Limits of MLflow: of a batch, of a parameter's value; what is longer is in the artifacts.
BATCH, LONGEST_VALUE = 100, 6000
FORBIDDEN = re.compile(r"[^\w\-./: ]")
# Figures of a file that become metrics, beside the task's own.
FILE_FIGURES = ("loss", "size_bytes", "gzip_bytes", "sparsity", "macs", "arena_bytes")


def require_mlflow(settings: MlflowConfig) -> None:
    """Refuses, when planned, a store that the installed packages cannot write.

    Raises:
        ConfigError: MLflow is missing, or what it needs for SQLite.
    """
    if find_spec("mlflow") is None:
        raise ConfigError(
            "report.mlflow: the package mlflow is not installed; install it with "
            "pip install 'slimline[mlflow]', or leave report.mlflow out"
        )
    if settings.tracking_uri.startswith("sqlite:") and find_spec("sqlalchemy") is None:
        raise ConfigError(
            f"report.mlflow.tracking_uri: {settings.tracking_uri} needs the full package; install "
            "it with pip install mlflow, or give a folder"
        )


def log_report(
    report: Mapping[str, Any], files: Sequence[Path], key: str, settings: MlflowConfig
) -> str:
    """Logs a run, once: a second call with the same key changes nothing.

    Args:
        report: the content of report.json.
        files: what goes into the run's artifacts.
        key: of the report's result; a run half logged under it is logged anew.
        settings: the store and the experiment.

    Returns:
        a line that says where it is.

    Raises:
        StorageError: the store cannot be written.
    """
    with mlflow_environment():
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        where = f"MLflow, experiment '{settings.experiment}' in {settings.tracking_uri}"
        try:
            client = MlflowClient(tracking_uri=locate(settings.tracking_uri))
            experiment = find_experiment(client, settings)
            for run in client.search_runs([experiment], f"tags.`{KEY_TAG}` = '{key}'"):
                if run.info.status == "FINISHED":
                    return f"already logged to {where}"
                client.delete_run(run.info.run_id)
            tags = {KEY_TAG: key, "slimline.version": report["versions"].get("slimline", "")}
            run_id = client.create_run(experiment, tags=tags, run_name=report["name"]).info.run_id
            log_figures(client, run_id, report)
            for path in files:
                client.log_artifact(run_id, str(path))
            client.log_text(run_id, report["configuration"]["text"], "configuration.yaml")
            client.set_terminated(run_id)
        except (MlflowException, OSError) as error:
            reason = " ".join(str(error).split())[:300]
            raise StorageError(
                f"report.mlflow: {settings.tracking_uri}: {reason}; give another "
                "tracking_uri or experiment, or leave report.mlflow out"
            ) from error
    return f"logged to {where}"


@contextlib.contextmanager
def mlflow_environment() -> Iterator[None]:
    """Sets what MLflow reads from the environment, and puts back what was there."""
    before = {name: os.environ.get(name) for name in ENVIRONMENT}
    os.environ.update(ENVIRONMENT)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def locate(tracking_uri: str) -> str:
    """The store as MLflow wants it: a folder becomes a file URI with an absolute path."""
    return tracking_uri if "://" in tracking_uri else Path(tracking_uri).resolve().as_uri()


def find_experiment(client: Any, settings: MlflowConfig) -> str:
    """The experiment's id; a new one in a database keeps its files in a folder beside it."""
    found = client.get_experiment_by_name(settings.experiment)
    if found is not None:
        return str(found.experiment_id)
    folder = None
    if settings.tracking_uri.startswith("sqlite:///"):
        database = Path(settings.tracking_uri.removeprefix("sqlite:///")).resolve()
        folder = (database.parent / f"{database.stem}_artifacts").as_uri()
    return str(client.create_experiment(settings.experiment, artifact_location=folder))


def log_figures(client: Any, run_id: str, report: Mapping[str, Any]) -> None:
    """Logs settings as parameters, and every curve and figure as metrics."""
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    params = [Param(key, value) for key, value in settings_of(report)]
    metrics = [Metric(key, value, now, step) for key, value, step in figures_of(report)]
    for start in range(0, len(params), BATCH):
        client.log_batch(run_id, params=params[start : start + BATCH])
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + BATCH])


def settings_of(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Leaves of the configuration as text; what is not set or too long is left out."""
    leaves = flatten(report["configuration"]["values"])
    texts = ((plain_key(path), str(value)) for path, value in leaves.items() if value is not None)
    return [(key, text) for key, text in texts if text and len(text) <= LONGEST_VALUE]


def figures_of(report: Mapping[str, Any]) -> list[tuple[str, float, int]]:
    """(name, value, step): epochs of every training, seconds of stages, figures of files."""
    metric = report["task"]["metric"]
    found: list[tuple[str, Any, int]] = []
    for training in report["training"]:
        for row in training["history"]:
            found += [
                (f"{training['stage']}/{name}", value, int(row["epoch"]))
                for name, value in row.items()
                if name != "epoch"
            ]
    found += [(f"seconds/{entry['stage']}", entry["seconds"], 0) for entry in report["stages"]]
    for row in (report["files"] or {}).get("rows", []):
        place = f"{report['files']['split']}/{row['name']}"
        found += [(f"{place}/{name}", row.get(name), 0) for name in (metric, *FILE_FIGURES)]
        found.append((f"{place}/latency_ms", (row.get("latency_ms") or {}).get("median"), 0))
    return [
        (plain_key(name), float(value), step) for name, value, step in found if is_number(value)
    ]


def plain_key(path: str) -> str:
    """A name with the characters that MLflow takes, at most 250."""
    return FORBIDDEN.sub("_", path)[:250]
