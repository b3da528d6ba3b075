"""Pages that benchmarks make are those of the committed results."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.config.families import FAMILIES
from tests.conftest import ROOT

FOLDER = ROOT / "benchmarks"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return load("applications_page")


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / "applications.json").read_text(encoding="utf-8"))
    return found


def test_the_page_of_applications_is_made_of_their_result(
    page: ModuleType, result: dict[str, Any]
) -> None:
    written = (ROOT / "docs/applications.md").read_text(encoding="utf-8")
    assert written == page.make_page(result)


def test_each_architecture_has_a_row_or_is_told_as_not_run(result: dict[str, Any]) -> None:
    known = {name for family in FAMILIES.values() for name in family.names}
    assert {*result["rows"], *result["not_run"]} == known
    assert len(result["rows"]) + len(result["not_run"]) == result["total"] == 40


def test_the_benchmark_runs_each_architecture(command: ModuleType) -> None:
    names = command.ARCHITECTURES + command.LARGE
    known = {name for family in FAMILIES.values() for name in family.names}
    assert set(names) == known and len(names) == len(known)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    return load("applications")


ENDLESS = "while True: pass"


@pytest.mark.parametrize(
    ("limit", "value", "code", "reason"),
    [
        (
            "LEAST_AVAILABLE",
            10**18,
            ENDLESS,
            r"it had taken \d\.\d GB when the machine",
        ),
        ("CPU_LIMIT", 1, ENDLESS, "more than 1 CPU s"),
        ("TIME_LIMIT", 1, ENDLESS, "more than 1 s"),
        ("CPU_LIMIT", 60, "raise SystemExit(3)", "exit code 3"),
        ("CPU_LIMIT", 60, "import os; os.kill(os.getpid(), 9)", "SIGKILL"),
        ("CPU_LIMIT", 60, "pass", None),
    ],
)
def test_a_step_is_ended_before_it_takes_what_others_need(
    command: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    limit: str, value: int, code: str, reason: str | None,
) -> None:  # fmt: skip
    monkeypatch.setattr(command, limit, value)
    process = [sys.executable, "-S", "-c", code]
    ended, peak = command.run_watched(process, tmp_path / "log", command.TIME_LIMIT)
    assert ended is None if reason is None else re.match(reason, ended)
    assert peak < 1e9


def test_a_row_sums_up_its_steps(command: ModuleType) -> None:
    steps = {
        "parity": {"seconds": 1.0, "cpu_seconds": 2.0, "memory_bytes": 5},
        "prune": {"seconds": 2.5, "cpu_seconds": 2.0, "memory_bytes": 9,
                  "converter_memory_bytes": 0},
        "qat": {"done": False, "memory_bytes": 7},
    }  # fmt: skip
    assert command.total({"parameters": 3, **steps}) == {
        "processes": "a step", "seconds": 3.5, "cpu_seconds": 4.0, "memory_bytes": 9,
        "converter_memory_bytes": 0,
    }  # fmt: skip


def row(**changes: Any) -> dict[str, Any]:
    """One architecture that did all it must, and what differs."""
    file = {"max_difference": 1e-5, "mean_difference": 0.01, "size_bytes": 1}
    done = {
        "name": "Net", "side": 32, "parameters": 1_000_000, "cpu_seconds": 9.0,
        "memory_bytes": 2e9, "converter_memory_bytes": 1e9,
        "parity": {"done": True, "max_relative_difference": 2e-6},
        "prune": {"done": True, "sparsity": 0.5, "overall_sparsity": 0.4, "left_dense": []},
        "ptq": {"done": True, "float32": file, "int8": file},
        "qat": {"done": True, "trained": 7, "left": 0, "reasons": [], "int8": file},
        "processes": "a step", "finished": "2026-11-25T18:00:00+00:00",
    }  # fmt: skip
    return {**done, **changes}


REFUSED = {"done": False, "reason": "layer 'x' cannot"}
FAR = {"max_difference": 2.0, "mean_difference": 0.5, "size_bytes": 1}
NEAR = {"max_difference": 1e-5, "mean_difference": 0.01, "size_bytes": 1}


@pytest.mark.parametrize(
    ("step", "changes", "reason"),
    [
        ("parity", {}, None),
        ("prune", {"prune": REFUSED}, "layer 'x' cannot"),
        ("ptq", {"ptq": {"done": True, "float32": FAR, "int8": NEAR}}, "float differs by 2"),
        ("ptq", {"ptq": {"done": True, "float32": NEAR, "int8": FAR}}, "int8 differs by 0.5"),
        (
            "qat",
            {"qat": None, "ended": "SIGKILL during qat: "},
            "not reached: SIGKILL during qat: ",
        ),
    ],
)
def test_a_gap_has_its_reason(
    page: ModuleType, step: str, changes: dict[str, Any], reason: str | None
) -> None:
    assert page.judge(row(**changes), step) == reason


def page_of(page: ModuleType, *rows: dict[str, Any], not_run: Sequence[str] = ()) -> str:
    libraries = ("tensorflow", "keras", "tf_keras", "tensorflow-model-optimization",
                 "ai-edge-litert")  # fmt: skip
    result = {
        "rows": {row["name"]: row for row in rows}, "total": len(rows) + len(not_run),
        "not_run": list(not_run), "versions": dict.fromkeys(libraries, "1.0"),
        "host": {"cpu": "CPU", "python": "3.11"},
    }  # fmt: skip
    made: str = page.make_page(result)
    return made


def with_qat(name: str, **changes: Any) -> dict[str, Any]:
    return row(name=name, qat={**row()["qat"], **changes})


def test_the_page_counts_what_was_done_and_lists_what_was_not(page: ModuleType) -> None:
    left = {"reason": "operation Sum", "layers": 3, "first": "sum"}
    part = with_qat("Part", left=3, reasons=[left])
    made = page_of(page, row(), part, row(name="Bad", prune=REFUSED), not_run=["Huge"])
    assert "Of 4: 3 run; parity 3, pruned 2, int8 3, QAT 3 (2 full, 1 with layers" in made
    assert (
        "| Net | 32 | 1.0 M | 2e-06 | 50.0%, 40.0% | 1e-05 | 0.010 | full; 0.010 | 9 | 2.0 |"
        in made
    )
    assert "3 of 10 left; 0.010" in made and "| operation Sum | Part 3 |" in made
    assert "- Bad, prune: layer 'x' cannot\n- Huge: not run\n" in made


def test_a_reason_is_told_once_whatever_the_layers_are_called(page: ModuleType) -> None:
    reasons = [
        {"reason": f"follows '{name}' (Add), which", "layers": 2, "first": "bn"} for name in "ab"
    ]
    made = page_of(page, with_qat("Part", left=4, reasons=reasons))
    assert made.count("follows") == 1 and "| follows Add, which | Part 4 |" in made


def test_the_page_marks_rows_of_one_process(page: ModuleType) -> None:
    old = row(name="Old")
    del old["processes"]
    made = page_of(page, old, row())
    assert "| 9 | 2.0 † |" in made and "| 9 | 2.0 |" in made


def test_the_page_tells_which_statistics_were_estimated(page: ModuleType) -> None:
    estimated = {
        "estimated": True, "layers": 3, "loss_of_float": 1.5, "loss_of_estimated": 0.25,
    }  # fmt: skip
    kept = {**estimated, "estimated": False}
    made = page_of(page, with_qat("Deep", statistics=estimated), with_qat("Net", statistics=kept))
    assert "so in 1 of 2: Deep 1.5 → 0.25." in " ".join(made.split())
    assert "estimated anew" not in page_of(page, row(), with_qat("Old", statistics=None))


def test_the_tables_of_calibration_are_those_of_its_result() -> None:
    found = json.loads((FOLDER / "calibration.json").read_text(encoding="utf-8"))
    tables = load("calibration").make_tables(found)
    assert len(tables.splitlines()) > 20
    written = (ROOT / "docs/calibration.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in tables.splitlines() if line not in written] == []


def test_the_page_beside_tfmot_is_made_of_its_results() -> None:
    made = load("beside_tfmot_page")
    written = (ROOT / "docs/beside_tfmot.md").read_text(encoding="utf-8")
    assert written == made.make_page(made.read_results())


def test_zeros_and_clusters_are_kept_in_the_committed_results() -> None:
    found = json.loads((FOLDER / "combinations.json").read_text(encoding="utf-8"))
    assert len(found["seeds"]) == 3
    for seed in found["seeds"].values():
        for name, row in seed["ours"].items():
            assert row["counted"]["zeros_lost"] == 0, name
            if "clustered" in name:
                assert max(row["counted"]["most_distinct"].values()) <= found["clusters"], name


def test_the_rows_of_distillation_are_those_of_the_result() -> None:
    page = (ROOT / "docs/distill.md").read_text(encoding="utf-8")
    found = json.loads((FOLDER / "distillation.json").read_text(encoding="utf-8"))
    assert set(found["tables"]) == {"student", "student_mlp", "prune", "fashion"}
    for table in found["tables"].values():
        for label, rows in table.items():
            accuracies = ", ".join(f"{100 * row['accuracy']:.1f}" for row in rows)
            assert f"| {accuracies} |" in page, label
