"""The section of the student, and what does not fit it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.distillation import Distillation
from pipeline.config.load import as_plain_data, validate
from pipeline.config.places import find_place
from pipeline.errors import ConfigError

MLP = {"architecture": "mlp", "units": [8]}
CHAIN = {"stages": ["train", "distill"]}


def distill(student: dict[str, Any] | None = MLP, **sections: Any) -> dict[str, Any]:
    return {**CHAIN, "distill": {"student": student}, **sections}


def test_a_configuration_comes_back_as_it_was() -> None:
    config = validate(distill())
    assert validate(as_plain_data(config)) == config
    assert find_place("distill.student.mlp.units").field == "units"


def test_it_is_a_training_with_a_teacher() -> None:
    own = {
        "epochs": 3, "temperature": 4.0, "alpha": 0.9, "early_stopping": {"patience": 2},
        "optimizer": {"name": "sgd", "learning_rate": 0.5}, "mixup": 0.2,
    }  # fmt: skip
    training = validate({"distill": own}).distill.training
    assert training.distillation == Distillation(temperature=4.0, alpha=0.9)
    assert (training.epochs, training.mixup, training.transfer) == (3, 0.2, None)
    assert training.early_stopping is not None and training.early_stopping.patience == 2
    assert training.optimizer.learning_rate == 0.5


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (distill(None), r"distill\.student: missing, expected a network as in the section model"),
        (
            distill({"architecture": "file", "path": "x.keras"}),
            r"distill\.student: received a file, expected an architecture",
        ),
        (
            distill({**MLP, "weights": "w.npz"}),
            r"distill\.student\.weights: received 'w.npz', expected none or imagenet",
        ),
        (
            distill({"architecture": "autoencoder"}),
            r"distill\.student: model\.architecture autoencoder gives back the input",
        ),
        (
            distill({"architecture": "text_cnn"}),
            r"distill\.student: model\.architecture text_cnn reads token ids",
        ),
        (
            distill({"architecture": "applications/MobileNetV2"}),
            r"distill\.student: data\.preprocessing: applications/MobileNetV2 has its family's",
        ),
        (
            {**distill(), "distill": {"student": MLP, "early_stopping": {"monitor": "val_mae"}}},
            r"distill\.early_stopping\.monitor: received val_mae",
        ),
        (
            {
                "data": {"source": "npz", "path": "x.npz", "task": "regression"},
                "distill": {"temperature": 3.0},
            },
            r"distill\.temperature: received 3\.0, and data\.task regression has no",
        ),
        (
            {
                **distill(), "data": {"source": "npz", "path": "x.npz", "task": "parity"},
                "model": {"path": "m.keras"}, "stages": ["distill"],
            },
            "data.task parity: distill would have to learn from samples without answers",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        validate(values)


def test_a_student_is_asked_for_by_its_stage_alone() -> None:
    assert validate({"stages": ["train"]}).distill.student is None


def test_what_is_quantized_is_the_student() -> None:
    """Layer normalization in the teacher stands in no one's way, in the student it does."""
    normalized = {**MLP, "normalization": "layer"}
    stages = ["train", "distill", "quantize"]
    quantize = {"method": "qat"}
    validate({**distill(model=normalized, quantize=quantize), "stages": stages})
    with pytest.raises(ConfigError, match="normalization"):
        validate({**distill(normalized, quantize=quantize), "stages": stages})
