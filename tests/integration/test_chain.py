"""The whole chain on digits: what ships, what was promised, and that a second run does nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.tflite.inspect import inspect
from pipeline.tflite.interpreter import load
from tests.integration.conftest import SMALL, digests, environment, slimline, write_config

PTQ = {
    **SMALL,
    "quantize": {
        "method": "ptq", "schemes": ["int8", "dynamic_range", "int4"], "dense_scales": "per_tensor",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def ptq_run(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of SMALL with quantization after training, from the results of small_run; the
    files plan and result hold what the two commands said."""
    folder = tmp_path_factory.mktemp("ptq")
    shutil.copytree(small_run / "artifacts", folder / "artifacts", symlinks=True)
    config = write_config(folder, PTQ)
    for name, options in (("plan", ["--dry-run"]), ("result", [])):
        done = slimline("run", config, *options, "--json", cwd=folder)
        assert done.returncode == 0, done.stderr
        (folder / name).write_text(done.stdout)
    return folder


def test_the_bundle_is_complete_and_runs(small_run: Path) -> None:
    export = small_run / "artifacts" / "small" / "export"
    names = {path.name for path in export.iterdir()}
    assert names >= {
        "float.tflite", "float.json", "pruned.tflite", "pruned.json", "clustered.tflite",
        "clustered.json", "int8.tflite", "int8.json", "model_data.h", "model_data.cc",
        "run_model.py",
    }  # fmt: skip
    sidecar = json.loads((export / "int8.json").read_text())
    assert sidecar["inputs"][0]["dtype"] == sidecar["outputs"][0]["dtype"] == "int8"
    np.save(small_run / "x.npy", np.zeros((2, 8, 8, 1), np.float32))
    done = subprocess.run(
        [sys.executable, str(export / "run_model.py"), str(small_run / "x.npy")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.strip().splitlines()) == 2


def test_the_asked_sparsity_is_in_the_flatbuffer(small_run: Path) -> None:
    export = small_run / "artifacts" / "small" / "export"
    for name in ("pruned", "clustered", "int8"):
        assert inspect(export / f"{name}.tflite").sparsity >= 0.5 - 1e-3
    assert inspect(export / "float.tflite").sparsity < 0.05


def test_zeros_and_clusters_are_in_the_flatbuffer_after_qat(small_run: Path) -> None:
    export = small_run / "artifacts" / "small" / "export"
    for name in ("clustered", "int8"):
        kernels = inspect(export / f"{name}.tflite").kernels
        assert [kernel.counts.distinct for kernel in kernels] == [8, 8], name
    pruned = {k.shape: k.counts for k in inspect(export / "pruned.tflite").kernels}
    for kernel in inspect(export / "int8.tflite").kernels:
        assert kernel.counts.zeros >= pruned[kernel.shape].zeros
        assert pruned[kernel.shape].distinct > 100


def test_after_training_quantization_keeps_them_too_and_the_file_is_smaller(
    ptq_run: Path,
) -> None:
    kernels = inspect(ptq_run / "artifacts/small/export/int8.tflite").kernels
    assert [kernel.counts.distinct for kernel in kernels] == [8, 8]
    packed = inspect(ptq_run / "artifacts/small/export/int4.tflite").kernels
    assert [kernel.dtype for kernel in packed] == ["int4", "int4"]
    assert all(kernel.counts.distinct <= 8 for kernel in packed)
    assert all(k.counts.zeros >= wide.counts.zeros for k, wide in zip(packed, kernels, strict=True))
    config = write_config(ptq_run, PTQ, "without.yaml")
    chain = "stages=[train,tune,prune,quantize]"
    done = slimline("run", config, "--name", "without", "--set", chain, cwd=ptq_run)
    assert done.returncode == 0, done.stderr
    names = ("small", "without")
    (clustered, other) = (
        json.loads((ptq_run / f"artifacts/{name}/quantize/manifest.json").read_text())["metrics"]
        for name in names
    )
    assert clustered["files"][0]["gzip_bytes"] < 0.9 * other["files"][0]["gzip_bytes"]
    assert clustered["files"][0]["sparsity"] >= 0.5


def test_the_evaluation_is_what_the_file_answers_on_the_test_split(small_run: Path) -> None:
    from pipeline.config.load import validate
    from pipeline.data.prepare import load_data

    run = small_run / "artifacts" / "small"
    figures = json.loads((run / "run.json").read_text())["figures"]
    test = load_data(validate(SMALL).data, run / "data", ("test",)).test
    assert figures["split"] == "test"
    assert figures["samples"] == len(test)
    for row in figures["files"]:
        answers = load(run / "export" / row["file"]).predict(test.x).argmax(axis=1)
        assert row["accuracy"] == pytest.approx((answers == test.y).mean())
        low, high = row["accuracy_interval"]
        assert low < row["accuracy"] < high


def test_int8_is_smaller_and_still_right(small_run: Path) -> None:
    run = small_run / "artifacts" / "small"
    rows = {r["name"]: r for r in json.loads((run / "run.json").read_text())["figures"]["files"]}
    assert rows["int8"]["gzip_bytes"] < rows["pruned"]["gzip_bytes"] < rows["float"]["gzip_bytes"]
    assert rows["float"]["accuracy"] > 0.8
    assert rows["int8"]["accuracy"] > rows["float"]["accuracy"] - 0.06


def test_the_report_tells_the_same_figures(small_run: Path) -> None:
    run = small_run / "artifacts" / "small"
    report = json.loads((run / "report" / "report.json").read_text())
    figures = json.loads((run / "run.json").read_text())["figures"]
    assert [r["accuracy"] for r in report["files"]["rows"]] == [
        r["accuracy"] for r in figures["files"]
    ]
    page = (run / "report" / "report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


def test_the_schedule_that_ran_is_recorded(small_run: Path) -> None:
    lines = (small_run / "artifacts/small/prune/schedule.csv").read_text().splitlines()
    assert lines[0] == "step,learning_rate,target_sparsity"
    assert float(lines[-1].split(",")[2]) == pytest.approx(0.5)


def test_a_second_run_does_nothing(small_run: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in (small_run / "artifacts/store").glob("*/*")}
    done = slimline("run", "small.yaml", "--json", cwd=small_run)
    result = json.loads(done.stdout)
    assert all(stage["cached"] for stage in result["stages"])
    after = {p: p.stat().st_mtime_ns for p in (small_run / "artifacts/store").glob("*/*")}
    assert after == before


def test_stdout_is_the_table_and_stderr_has_no_chatter(small_run: Path) -> None:
    done = slimline("run", "small.yaml", cwd=small_run)
    assert "int8" in done.stdout
    assert "report.html" in done.stdout
    assert all(line.startswith("  ") for line in done.stderr.splitlines()), done.stderr


def test_a_change_in_quantize_runs_only_what_follows(ptq_run: Path) -> None:
    plan, result = (json.loads((ptq_run / name).read_text()) for name in ("plan", "result"))
    assert {line["stage"]: line["state"] for line in plan["plan"]} == {
        "data": "cached", "train": "cached", "tune": "cached", "prune": "cached",
        "cluster": "cached", "quantize": "run", "export": "waits", "evaluate": "waits",
        "report": "waits",
    }  # fmt: skip
    assert [s["stage"] for s in result["stages"] if not s["cached"]] == [
        "quantize", "export", "evaluate", "report",
    ]  # fmt: skip


def test_status_show_and_clean(small_run: Path) -> None:
    rows = json.loads(slimline("status", "--json", cwd=small_run).stdout)
    assert [(row["run"], row["state"]) for row in rows] == [("small", "complete")]
    stages = json.loads(slimline("status", "small", "--json", cwd=small_run).stdout)
    assert {row["state"] for row in stages} == {"done"}
    shown = json.loads(slimline("show", "small", "--json", cwd=small_run).stdout)
    assert shown["metrics"]["prune"]["sparsity"] >= 0.5 - 1e-3
    assert "int8" in slimline("show", "small", cwd=small_run).stdout
    cleaned = slimline("clean", "--yes", "--json", cwd=small_run)
    assert json.loads(cleaned.stdout) == {"deleted": 0, "freed_bytes": 0}


def test_clean_asks_first(small_run: Path, tmp_path: Path) -> None:
    shutil.copytree(small_run / "artifacts", tmp_path / "artifacts", symlinks=True)
    (tmp_path / "artifacts/small/train").unlink()
    kept = slimline("clean", "--json", cwd=tmp_path, input="n\n")
    assert json.loads(kept.stdout) == {"deleted": 0, "freed_bytes": 0}
    gone = slimline("clean", "--json", cwd=tmp_path, input="y\n")
    assert json.loads(gone.stdout)["deleted"] == 1
    assert "result of no run" in gone.stderr


def test_two_fresh_processes_make_equal_files(small_run: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, SMALL)
    done = slimline("run", config, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first = small_run / "artifacts" / "small" / "export"
    second = tmp_path / "artifacts" / "small" / "export"
    for name in ("float", "pruned", "clustered", "int8"):
        assert (first / f"{name}.tflite").read_bytes() == (second / f"{name}.tflite").read_bytes()
    left, right = digests(first.parent), digests(second.parent)
    for stage in SMALL["stages"][:-1]:
        assert left[stage] == right[stage], stage


def test_python_gives_the_same(small_run: Path) -> None:
    code = (
        "import pipeline\n"
        "result = pipeline.run('small.yaml')\n"
        "print(result.metrics['evaluate']['samples'], sorted(result.files), result.deploy.name)\n"
        "assert 'int8' in result.table() and 'int8' in result._repr_html_()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=small_run,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "359 ['clustered', 'float', 'int8', 'pruned'] int8.tflite"
