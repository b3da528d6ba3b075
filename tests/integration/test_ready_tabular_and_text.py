"""The ready configurations for Adult, Wine Quality and sentiment, on their real data, shortened."""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.tflite.inspect import inspect
from tests.conftest import ROOT
from tests.integration.conftest import slimline

CASES: dict[str, tuple[str, ...]] = {
    "adult": ("data.max_train_samples=6000", "train.epochs=2", "prune.epochs=2",
              "prune.batch_size=64", "evaluate.latency_runs=10"),
    "wine_quality": ("train.epochs=8", "stages=[train,quantize,export,evaluate]",
                     "evaluate.latency_runs=10"),
    "sentiment": ("train.epochs=2", "train.batch_size=64", "model.recurrent_dropout=0",
                  "data.text.sequence_length=16", "evaluate.latency_runs=10",
                  "export.min_label_agreement=0.9"),
}  # fmt: skip
Metrics = dict[str, Any]


def run(name: str, folder: Path) -> Metrics:
    """Runs a shipped configuration without its report; returns metrics by stage."""
    words = [word for override in CASES[name] for word in ("--set", override)]
    config = ROOT / "configs" / f"{name}.yaml"
    done = slimline("run", config, *words, "--to", "evaluate", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    return {stage["stage"]: stage["metrics"] for stage in json.loads(done.stdout)["stages"]}


def files(metrics: Metrics) -> dict[str, Metrics]:
    return {row["name"]: row for row in metrics["evaluate"]["files"]}


def run_shipped(folder: Path, name: str, *words: str | Path) -> list[list[str]]:
    """Runs the bundle's own program, away from this repository."""
    program = folder / "artifacts" / name / "export" / "run_model.py"
    done = subprocess.run(
        [sys.executable, "-P", program, *words], capture_output=True, text=True, cwd="/", env={}
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_adult_down_to_the_answers_of_the_shipped_program(real_data: Path, tmp_path: Path) -> None:
    metrics = run("adult", tmp_path)
    int8 = files(metrics)["int8"]
    assert metrics["evaluate"]["samples"] == 16_281
    assert int8["accuracy"] > 0.8  # 76.4 % is to be had by always answering "<=50K"
    assert int8["sparsity"] > 0.7
    raw = real_data / "uci_tabular" / "adult-test.csv.xz"
    lines = lzma.decompress(raw.read_bytes()).decode().splitlines()
    truth = [line.rstrip(".").rpartition(", ")[2] for line in lines if line]
    answers = [label for _, label, _ in run_shipped(tmp_path, "adult", raw)]
    right = sum(one == other for one, other in zip(answers, truth, strict=True))
    assert right / len(truth) == pytest.approx(int8["accuracy"], abs=1e-9)


def test_wine_quality_is_told_in_grades(real_data: Path, tmp_path: Path) -> None:
    metrics = run("wine_quality", tmp_path)
    rows = files(metrics)
    assert rows["int8"]["mae"] < 0.65  # 0.69 is to be had by always answering the mean
    assert abs(rows["int8"]["mae"] - rows["float"]["mae"]) < 0.05
    csv = tmp_path / "one.csv"
    csv.write_text("7.4,0.7,0,1.9,0.076,11,34,0.9978,3.51,0.56,9.4,5\n")
    ((_, answer),) = run_shipped(tmp_path, "wine_quality", csv)
    name, value = answer.split(" ")
    assert name == "quality" and 3 <= float(value) <= 9


def test_sentiment_ends_in_a_fused_lstm(real_data: Path, tmp_path: Path) -> None:
    metrics = run("sentiment", tmp_path)
    rows = files(metrics)
    assert metrics["evaluate"]["samples"] == 600
    assert rows["int8"]["accuracy"] > 0.6
    assert rows["int8"]["size_bytes"] < rows["float"]["size_bytes"] / 3
    shipped = tmp_path / "artifacts" / "sentiment" / "export" / "int8.tflite"
    assert inspect(shipped).operators["UNIDIRECTIONAL_SEQUENCE_LSTM"] == 1
    words = ("--text", "Great phone, I love it!", "--text", "Terrible, a waste of money.")
    labels = [label for _, label, _ in run_shipped(tmp_path, "sentiment", *words)]
    assert set(labels) <= {"0", "1"}
