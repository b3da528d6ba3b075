from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest

from pipeline.reporting.report_json import SCHEMA_VERSION, build_report, to_plain
from tests.reporting.sample_run import ALL_STAGES, make_run

KEYS = [
    "schema_version", "name", "seed", "created", "task", "headline", "files", "training",
    "schedules", "trials", "classes", "distillation", "channels", "sparsity", "clusters",
    "weights", "quantization", "data", "preflight", "stages", "configuration", "versions", "host",
    "commands",
]  # fmt: skip


def test_structure_is_the_documented_one() -> None:
    report = build_report(make_run())
    assert list(report) == KEYS
    assert report["schema_version"] == SCHEMA_VERSION == 2
    assert report == json.loads(json.dumps(report, allow_nan=False))


def test_pure() -> None:
    run = make_run()
    before = copy.deepcopy(run)
    assert build_report(run) == build_report(run)
    assert run == before


@pytest.mark.parametrize(
    ("stages", "absent"),
    [
        (
            ("data", "train", "export", "evaluate"),
            {"trials", "channels", "sparsity", "clusters", "quantization"},
        ),
        (
            ("data", "train"),
            {
                "trials",
                "channels",
                "sparsity",
                "clusters",
                "quantization",
                "files",
                "headline",
                "classes",
                "weights",
            },
        ),
        (
            ("data", "train", "tune", "export", "evaluate"),
            {"channels", "sparsity", "clusters", "quantization"},
        ),
    ],
)
def test_absent_stages_are_null_but_keys_stay(stages: tuple[str, ...], absent: set[str]) -> None:
    report = build_report(make_run(stages))
    assert list(report) == KEYS
    assert {key for key, value in report.items() if value is None} == absent | {
        "preflight",
        "distillation",
    }


def test_what_was_foreseen_of_a_model_that_was_there() -> None:
    run = make_run(("data", "load", "export", "evaluate"))
    report = build_report(run)
    assert report["preflight"]["layers"][2]["exported"] == "no"
    assert report["preflight"]["macs_uncounted"] == ["attention"]
    run["stages"][1]["metrics"].pop("preflight")
    assert build_report(run)["preflight"] is None


def test_a_student_beside_its_teacher() -> None:
    run = make_run(("data", "train", "distill", "export", "evaluate"))
    report = build_report(run)
    assert report["distillation"] == {
        key: value for key, value in run["stages"][2]["metrics"].items() if key != "history"
    }
    assert [training["stage"] for training in report["training"]] == ["train", "distill"]


def test_trainings_in_the_order_of_the_chain() -> None:
    training = build_report(make_run())["training"]
    assert [run["stage"] for run in training] == [
        "train", "tune", "narrow", "prune", "cluster", "quantize",
    ]  # fmt: skip
    assert training[0]["best_epoch"] == 33 and len(training[0]["history"]) == 40


def test_schedule_keeps_the_corners_of_each_column() -> None:
    schedule = build_report(make_run())["schedules"]
    assert list(schedule) == ["train", "prune"]
    steps = [row["step"] for row in schedule["prune"]]
    assert steps[:5] == [0, 9, 10, 19, 20] and steps[-1] == 407
    assert all(
        set(row) == {"step", "learning_rate", "target_sparsity"} for row in schedule["prune"]
    )
    # The peak after two epochs of warm-up is a corner.
    assert {"step": 68, "learning_rate": float(np.float32(0.002))} in schedule["train"]


def test_parity_of_export_stands_beside_each_file() -> None:
    report = build_report(make_run())
    assert [row["parity"]["label_agreement"] for row in report["files"]["rows"]] == [
        1.0, 1.0, 0.992, 0.996,
    ]  # fmt: skip
    assert report["quantization"]["files"][0]["parity"]["max_difference"] == 0.071
    assert "history" not in report["quantization"]["qat"]


def test_stages_carry_no_metrics_twice() -> None:
    report = build_report(make_run())
    assert [entry["stage"] for entry in report["stages"]] == list(ALL_STAGES)
    assert set(report["stages"][0]) == {"stage", "key", "digest", "seconds", "cached", "made"}


def test_to_plain() -> None:
    value = {"a": np.float32(0.5), "b": np.array([1, 2]), "c": math.nan, 3: (-math.inf, True)}
    assert to_plain(value) == {"a": 0.5, "b": [1, 2], "c": None, "3": [None, True]}
    assert to_plain("\ud800") == "?"
