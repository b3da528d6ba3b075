"""Each exit code of the design that can occur, with its one line."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.artifacts.locks import hold_lock
from tests.integration.conftest import COMMAND, SMALL, environment, slimline, write_config

# Each step multiplies the weights by 1 - 2 · 100: they overflow within twenty steps.
WILD = ("--set", "train.optimizer={name: sgd, learning_rate: 100}", "--set", "model.l2=1")


def fails(code: int, message: str, *words: str | Path, cwd: Path, **options: Any) -> None:
    """Runs a command that must fail with this code and one line that holds the message."""
    done = slimline(*words, cwd=cwd, **options)
    errors = [line for line in done.stderr.splitlines() if not line.startswith("  ")]
    assert done.returncode == code, done.stderr
    assert len(errors) == 1, done.stderr
    assert errors[0].startswith("slimline: ")
    assert message in errors[0]
    assert done.stdout == ""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path, SMALL)


def test_0_help_is_quick_and_complete(tmp_path: Path) -> None:
    done = slimline("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("run", "train", "tune", "prune", "cluster", "quantize", "export", "evaluate",
                    "report", "optimizers", "predict", "options", "status", "show", "compare",
                    "clean"):  # fmt: skip
        assert f"  {command} " in done.stdout


def test_2_configuration_and_usage(config: Path, tmp_path: Path) -> None:
    fails(2, "train.epochs: received 'x'", "run", config, "--set", "train.epochs=x", cwd=tmp_path)
    fails(2, "no such file", "run", "nowhere.yaml", cwd=tmp_path)
    fails(2, "No such option '--epochs'", "run", config, "--epochs", "3", cwd=tmp_path)
    fails(2, "No such command 'rum'", "rum", cwd=tmp_path)
    fails(2, "'prune' needs a model", "run", config, "--set", "stages=[prune]", cwd=tmp_path)
    muon = "prune.optimizer={name: muon, learning_rate: 0.1}"
    fails(2, "muon", "run", config, "--set", muon, cwd=tmp_path)
    fails(
        2, "model.dropout", "run", config, "--set",
        "tune.search_space={model.dropout: {float: [0, 2]}}", cwd=tmp_path,
    )  # fmt: skip
    assert not (tmp_path / "artifacts" / "small" / "train").exists(), "before any work"


def test_3_data(config: Path, tmp_path: Path) -> None:
    x = np.zeros((40, 4), np.float32)
    x[7, 2] = np.nan
    np.savez(tmp_path / "bad.npz", x=x, y=np.arange(40) % 2)
    words = ("--set", "data.source=npz", "--set")
    fails(3, "7", "run", config, *words, f"data.path={tmp_path / 'bad.npz'}", cwd=tmp_path)
    fails(3, "nowhere.npz", "run", config, *words, "data.path=nowhere.npz", cwd=tmp_path)


def test_4_artifacts(config: Path, tmp_path: Path) -> None:
    fails(4, f"slimline run {config} --to train", "prune", config, cwd=tmp_path)
    fails(4, "no run 'yours'; there are: small", "show", "yours", cwd=tmp_path)


def test_6_busy(config: Path, tmp_path: Path) -> None:
    with hold_lock(tmp_path / "artifacts/small/.lock", "held"):
        fails(6, "run 'small' is being made by another process", "run", config, cwd=tmp_path)


def test_7_a_full_disk(config: Path, tmp_path: Path) -> None:
    def no_files_beyond_2_kb() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    fails(7, "File too large", "train", config, cwd=tmp_path, preexec_fn=no_files_beyond_2_kb)
    (tmp_path / "file").write_text("")
    fails(7, "Not a directory", "run", config, "--artifacts", "file/x", cwd=tmp_path)


def test_8_a_training_that_diverges(config: Path, tmp_path: Path) -> None:
    fails(8, "step", "train", config, *WILD, cwd=tmp_path)


def test_9_a_promise_that_does_not_hold(config: Path, tmp_path: Path) -> None:
    harsh = "prune.pruning_schedule={kind: constant, final_sparsity: 0.99}"
    fails(
        9, "loses", "run", config, "--set", harsh, "--set", "prune.epochs=1",
        "--set", "prune.distribution=uniform",
        "--set", "quantize={max_accuracy_drop: 0.01}",
        "--set", "stages=[train, prune, quantize]", cwd=tmp_path,
    )  # fmt: skip


def test_earlier_results_survive_a_failure(config: Path, tmp_path: Path) -> None:
    assert slimline("train", config, cwd=tmp_path).returncode == 0
    before = (tmp_path / "artifacts/small/train/model.keras").read_bytes()
    assert slimline("train", config, *WILD, cwd=tmp_path).returncode == 8
    assert (tmp_path / "artifacts/small/train/model.keras").read_bytes() == before


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = slimline("run", "nowhere.yaml", "--debug", cwd=tmp_path)
    assert "Traceback" in done.stderr


def test_a_reader_that_goes_away_is_no_error(small_run: Path) -> None:
    shell = f"{' '.join(COMMAND)} show small --json | head -c 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shell}"],
        cwd=small_run,
        env={**environment(), "PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert os.fsdecode(done.stdout) == "{"


def test_json_is_one_object_and_nothing_else(config: Path, tmp_path: Path) -> None:
    done = slimline("train", config, "--json", "--set", "train.epochs=1", cwd=tmp_path)
    assert json.loads(done.stdout)["run"] == "small"
