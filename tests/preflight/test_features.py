"""Names of layers that a later stage asks a teacher for, checked before training."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError
from pipeline.preflight.features import check_feature_layers
from tests.bridge.bridge_models import nested, residual

STUDENT = {"student": {"architecture": "mlp", "units": [8]}}


def asks(*layers: str, **pairs: str) -> dict[str, Any]:
    return {"distillation": {"features": {"layers": pairs or list(layers)}}}


def check(stages: list[str], student: Any = None, model: Any = None, **sections: Any) -> None:
    config = validate({"stages": stages, **sections})
    check_feature_layers(residual() if model is None else model, config, student)


def test_layers_that_are_there_pass() -> None:
    check(
        ["train", "narrow", "prune", "cluster", "quantize"],
        narrow=asks("stem", "norm*"), prune=asks("re*"), cluster=asks(relu="add"),
        quantize={"method": "qat", "qat": asks("pool")},
    )  # fmt: skip


@pytest.mark.parametrize("stage", ["narrow", "prune", "cluster", "quantize"])
def test_a_name_that_fits_none_is_told_with_its_field(stage: str) -> None:
    own = asks("stam")
    values = {"method": "qat", "qat": own} if stage == "quantize" else own
    field = "quantize.qat" if stage == "quantize" else stage
    words = rf"{field}\.distillation\.features\.layers: 'stam' fits no .* did you mean 'stem'\?"
    with pytest.raises(ConfigError, match=words):
        check(["train", stage], **{stage: values})


def test_sections_that_are_not_used_are_not_looked_at() -> None:
    check(["train", "prune"], cluster=asks("nothing"))
    check(["train", "quantize"], quantize={"method": "ptq"})


def test_of_a_student_that_is_not_built_yet_the_teachers_side_is_checked() -> None:
    stages = ["train", "distill", "prune"]
    distill = {**STUDENT, "features": {"layers": {"dense_1": "pool"}}}
    check(stages, distill=distill, prune=asks(dense_1="relu"))
    wrong = {**STUDENT, "features": {"layers": {"dense_1": "poll"}}}
    with pytest.raises(ConfigError, match=r"distill\.features\.layers: the teacher has no layer"):
        check(stages, distill=wrong)
    with pytest.raises(ConfigError, match=r"prune\.distillation\.features\.layers: 'dense_1' fits"):
        check(stages, distill=distill, prune=asks("dense_1"))


def test_behind_distill_both_sides_are_known() -> None:
    check(["prune"], residual(), prune=asks("relu"))
    with pytest.raises(ConfigError, match="the student has no layer 'dense_1'"):
        check(["prune"], residual(), prune=asks(dense_1="relu"))


def test_what_the_bridge_takes_apart_cannot_be_named() -> None:
    model = nested()
    (inner,) = (layer.name for layer in model.layers if hasattr(layer, "layers"))
    check(["narrow"], model=model, narrow=asks(inner))
    with pytest.raises(ConfigError, match=f"'{inner}' fits no layer that student and teacher both"):
        check(["prune"], model=model, prune=asks(inner))
