"""The stage distill: chains around it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.data.preprocessing import Affine
from pipeline.errors import ConfigError
from pipeline.plan import chain_of, stages_for
from pipeline.stages import distill
from pipeline.stages.table import STAGES

STUDENT = {"student": {"architecture": "mlp"}}


def plan(*stages: str, **sections: Any) -> None:
    chain_of(validate({"distill": STUDENT, "stages": stages, **sections}))


def test_it_needs_a_teacher() -> None:
    with pytest.raises(ConfigError, match="'distill' needs a model, and no stage before it"):
        plan("distill", "train")
    plan("distill", "prune", model={"path": "mine.keras"})
    plan("train", "tune", "distill", "prune", "cluster", "quantize", "export")


@pytest.mark.parametrize("stage", ["tune", "train"])
def test_the_section_model_is_not_trained_behind_it(stage: str) -> None:
    words = f"{stage} after distill would train the model of the section model, and not the stud"
    with pytest.raises(ConfigError, match=words):
        plan("distill", stage, model={"path": "mine.keras"})


@pytest.mark.parametrize(
    ("model", "given", "expected"),
    [
        ("mlp", None, None),
        ("mlp", Affine(0.1, 0.0), Affine(0.1, 0.0)),
        ("applications/MobileNetV2", None, Affine(1 / 127.5, -1.0)),
        ("applications/MobileNetV2", Affine(127.5, 0.0), Affine(1.0, -1.0)),
    ],
)
def test_pixels_of_a_ready_network_are_scaled_for_its_student(
    model: str, given: Affine | None, expected: Affine | None
) -> None:
    config: Any = SimpleNamespace(
        model=SimpleNamespace(architecture=model), distill=validate({"distill": STUDENT}).distill
    )
    data: Any = SimpleNamespace(model_preprocessing=given)
    assert distill._preprocessing(config, data) == expected


def test_the_teacher_stays_the_float_model_of_later_stages() -> None:
    before = [STAGES[name] for name in ("data", "train", "distill")]
    assert stages_for("model", before) == {"distill": "distill"}
    assert stages_for("teacher", before) == {"float": "train"}
    assert stages_for("baselines", before) == {"float": "train", "distilled": "distill"}
