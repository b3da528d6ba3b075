from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.config.mlflow import MlflowConfig
from pipeline.errors import ConfigError, StorageError
from pipeline.plan import chain_of
from pipeline.reporting import mlflow_store
from pipeline.reporting.mlflow_store import (
    ENVIRONMENT,
    figures_of,
    locate,
    log_report,
    mlflow_environment,
    plain_key,
    settings_of,
)
from pipeline.reporting.report_json import build_report
from tests.reporting.sample_run import make_run


class FakeClient:
    """Remembers what was logged, as MlflowClient would; `torn` breaks the next artifact."""

    runs: dict[str, Any] = {}  # noqa: RUF012
    torn = False

    def __init__(self, tracking_uri: str) -> None:
        self.uri = tracking_uri

    def get_experiment_by_name(self, name: str) -> Any:
        return None

    def create_experiment(self, name: str, artifact_location: str | None) -> str:
        return "1"

    def search_runs(self, experiments: list[str], query: str) -> list[Any]:
        return [
            SimpleNamespace(info=SimpleNamespace(run_id=name, status=run["status"]))
            for name, run in self.runs.items()
            if query == f"tags.`slimline.key` = '{run['tags']['slimline.key']}'"
        ]

    def create_run(self, experiment: str, tags: dict[str, str], run_name: str) -> Any:
        name = f"{run_name} {len(self.runs)}"
        self.runs[name] = {
            "tags": tags,
            "status": "RUNNING",
            "params": {},
            "metrics": {},
            "files": [],
        }
        return SimpleNamespace(info=SimpleNamespace(run_id=name))

    def delete_run(self, run_id: str) -> None:
        del self.runs[run_id]

    def log_batch(self, run_id: str, params: Any = (), metrics: Any = ()) -> None:
        assert len(params) <= 100 and len(metrics) <= 100
        self.runs[run_id]["params"] |= dict(params)
        self.runs[run_id]["metrics"] |= {(key, step): value for key, value, _, step in metrics}

    def log_artifact(self, run_id: str, path: str) -> None:
        if self.torn:
            raise OSError("the disk\nis full")
        self.runs[run_id]["files"].append(Path(path).name)

    def log_text(self, run_id: str, text: str, name: str) -> None:
        self.runs[run_id]["files"].append(name)

    def set_terminated(self, run_id: str) -> None:
        self.runs[run_id]["status"] = "FINISHED"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> type[FakeClient]:
    """Stands in for the package mlflow."""
    modules = {
        name: ModuleType(name) for name in ("mlflow", "mlflow.exceptions", "mlflow.entities")
    }
    modules["mlflow"].MlflowClient = FakeClient  # type: ignore[attr-defined]
    modules["mlflow.exceptions"].MlflowException = type("MlflowException", (Exception,), {})  # type: ignore[attr-defined]
    modules["mlflow.entities"].Param = lambda key, value: (key, value)  # type: ignore[attr-defined]
    modules["mlflow.entities"].Metric = lambda *figures: figures  # type: ignore[attr-defined]
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(FakeClient, "runs", {})
    monkeypatch.setattr(FakeClient, "torn", False)
    return FakeClient


def test_a_run_is_logged_once(client: type[FakeClient], tmp_path: Path) -> None:
    report = build_report(make_run())
    file = tmp_path / "int8.tflite"
    file.touch()
    assert log_report(report, [file], "k", MlflowConfig()) == (
        "logged to MLflow, experiment 'slimline' in mlruns"
    )
    assert log_report(report, [file], "k", MlflowConfig()).startswith("already logged")
    (run,) = client.runs.values()
    assert run["status"] == "FINISHED" and run["files"] == ["int8.tflite", "configuration.yaml"]
    assert run["params"]["train.epochs"] == "40"
    assert run["metrics"]["train/val_accuracy", 40] == pytest.approx(
        report["training"][0]["history"][-1]["val_accuracy"]
    )
    assert run["metrics"]["test/int8/gzip_bytes", 0] == 14912.0
    assert run["metrics"]["seconds/prune", 0] == 21.3


def test_a_run_half_logged_is_logged_anew(client: type[FakeClient], tmp_path: Path) -> None:
    report = build_report(make_run(("data", "train")))
    client.torn = True
    with pytest.raises(
        StorageError, match=r"report\.mlflow: mlruns: the disk is full; give another"
    ):
        log_report(report, [tmp_path], "k", MlflowConfig())
    client.torn = False
    log_report(report, [tmp_path], "k", MlflowConfig())
    assert [run["status"] for run in client.runs.values()] == ["FINISHED"]


def test_figures_that_are_no_numbers_are_left_out() -> None:
    run = make_run()
    run["stages"][1]["metrics"]["history"][0]["val_loss"] = float("nan")
    figures = {(name, step): value for name, value, step in figures_of(build_report(run))}
    assert ("train/val_loss", 1) not in figures and ("train/val_loss", 2) in figures
    assert figures["test/float/accuracy", 0] == pytest.approx(355 / 360)
    assert ("test/dynamic_range/arena_bytes", 0) not in figures


def test_settings_are_leaves_as_text() -> None:
    report = build_report(make_run())
    report["configuration"]["values"] = {"a": {"b c?": [1, 2], "long": "x" * 7000, "none": None}}
    assert settings_of(report) == [("a.b c_", "[1, 2]")]
    assert plain_key("é/ü-1 [x]") == "é/ü-1 _x_"


def test_the_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "false")
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    with mlflow_environment():
        assert {name: os.environ[name] for name in ENVIRONMENT} == ENVIRONMENT
    assert os.environ["MLFLOW_ALLOW_FILE_STORE"] == "false"
    assert "MLFLOW_DISABLE_TELEMETRY" not in os.environ


def test_a_folder_becomes_an_absolute_uri(tmp_path: Path) -> None:
    assert locate(str(tmp_path / "runs")) == (tmp_path / "runs").as_uri()
    assert locate("sqlite:///x.db") == "sqlite:///x.db"


@pytest.mark.parametrize(
    ("missing", "uri", "words"),
    [
        ("mlflow", "mlruns", r"not installed; install it with pip install 'slimline\[mlflow\]'"),
        (
            "sqlalchemy",
            "sqlite:///m.db",
            "needs the full package; install it with pip install mlflow",
        ),
    ],
)
def test_a_missing_package_is_said_when_the_run_is_planned(
    monkeypatch: pytest.MonkeyPatch, missing: str, uri: str, words: str
) -> None:
    monkeypatch.setattr(mlflow_store, "find_spec", lambda name: None if name == missing else name)
    config = validate({"report": {"mlflow": {"tracking_uri": uri}}})
    with pytest.raises(ConfigError, match=words):
        chain_of(config)
    chain_of(validate({}))


def test_the_real_package_takes_it(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="the extra slimline[mlflow] is not installed")
    report, settings = build_report(make_run()), MlflowConfig(tracking_uri=str(tmp_path / "runs"))
    for words in ("logged to", "already logged"):
        assert log_report(report, [], "k", settings).startswith(words)
    with mlflow_environment():
        client = mlflow.MlflowClient(locate(settings.tracking_uri))
        experiment = client.get_experiment_by_name("slimline").experiment_id
        (run,) = client.search_runs([experiment])
        history = client.get_metric_history(run.info.run_id, "train/loss")
    assert len(history) == 40 and run.data.params["train.epochs"] == "40"


def test_fault_mlflow_still_refuses_a_folder_of_files(tmp_path: Path) -> None:
    """When this fails, MLFLOW_ALLOW_FILE_STORE is no longer needed in ENVIRONMENT."""
    mlflow = pytest.importorskip("mlflow", reason="the extra slimline[mlflow] is not installed")
    with pytest.raises(mlflow.exceptions.MlflowException, match="MLFLOW_ALLOW_FILE_STORE"):
        mlflow.MlflowClient(tmp_path.as_uri()).search_experiments()
