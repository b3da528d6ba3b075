"""A student through the whole chain, and pruning beside a teacher, in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pipeline
from pipeline.models.files import load_model
from pipeline.results import RunResult
from pipeline.tflite.interpreter import load

VALUES: dict[str, Any] = {
    "run": {"name": "taught"},
    "data": {"source": "digits", "max_train_samples": 600, "preprocessing": {"kind": "rescale"}},
    "model": {"architecture": "small_cnn", "filters": [8, 16], "units": 32},
    "train": {"epochs": 8, "optimizer": {"name": "adam", "learning_rate": 0.01}},
    "distill": {
        "student": {"architecture": "mlp", "units": [12]},
        "epochs": 12, "alpha": 0.8, "optimizer": {"name": "adam", "learning_rate": 0.02},
        "features": {"layers": {"dense_1": "dense_1"}, "loss": "cosine"},
        "augmentation": {"noise": 0.05},
    },
    "prune": {
        "epochs": 3,
        "pruning_schedule": {"kind": "polynomial", "final_sparsity": 0.5, "end_step": "50%"},
        "optimizer": {"name": "adam", "learning_rate": 0.005}, 
        "distillation": {"alpha": 0.8, "features": {"layers": {"logits": "logits"}}},
        "layers": {"dense_1": {"final_sparsity": 0.6}},
    },
    "export": {"min_label_agreement": 0.9},
    "evaluate": {"latency_runs": 10},
    "stages": ["train", "distill", "prune", "quantize", "export", "evaluate", "report"],
}  # fmt: skip


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, Path]:
    folder = tmp_path_factory.mktemp("taught")
    return pipeline.run(VALUES, artifacts=folder), folder


def test_every_file_of_the_chain_ships(taught: tuple[RunResult, Path]) -> None:
    result, folder = taught
    files = {row["name"]: row for row in result.metrics["evaluate"]["files"]}
    assert list(files) == ["float", "distilled", "pruned", "int8"]
    assert files["distilled"]["size_bytes"] < files["float"]["size_bytes"] / 2
    assert files["distilled"]["accuracy"] > 0.8
    found = result.metrics["distill"]
    assert found["parameters"] < found["teacher"]["parameters"]
    assert found["teacher"]["validation"] == result.metrics["train"]["validation"]
    (note,) = result.stages["distill"].notes
    assert note.startswith("the student has 910 parameters and a validation accuracy of 0.")
    student = load_model(folder / "taught" / "distill" / "model.keras")
    assert student.count_params() == found["parameters"] == 64 * 12 + 12 + 12 * 10 + 10
    x = np.zeros((1, 8, 8, 1), np.float32)
    shipped = load(folder / "taught" / "export" / "distilled.tflite").predict(x)
    np.testing.assert_allclose(shipped, student(x), atol=1e-5)


def test_pruning_listens_to_the_teacher_and_keeps_its_promise(
    taught: tuple[RunResult, Path],
) -> None:
    result, folder = taught
    layers = {row["layer"]: row["sparsity"] for row in result.metrics["prune"]["layers"]}
    assert layers == pytest.approx({"dense_1": 0.6, "logits": 0.5}, abs=0.01)
    without = {**VALUES, "run": {"name": "plain"}, "stages": VALUES["stages"][:3]}
    without["prune"] = {**VALUES["prune"], "distillation": None}
    plain = pipeline.run(without, artifacts=folder)
    assert [stage.cached for stage in plain.stages.values()] == [True, True, True, False]
    figures = [run.metrics["prune"]["validation"]["loss"] for run in (result, plain)]
    assert figures[0] != figures[1]


def test_the_report_shows_teacher_and_student(taught: tuple[RunResult, Path]) -> None:
    result, _ = taught
    assert result.report is not None
    page = result.report.read_text(encoding="utf-8")
    assert 'id="distillation"' in page and "Training of the student" in page
    assert f"{result.metrics['distill']['teacher']['parameters']:,}" in page
