from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config.mixing import check_fine_tuning
from pipeline.config.train import FineTuneConfig


def config(**values: Any) -> FineTuneConfig:
    return FineTuneConfig.model_validate_json(json.dumps(values))


def test_off_unless_asked_for() -> None:
    plain = config()
    assert plain.augmentation is None and plain.class_weights is None
    assert plain.label_smoothing == plain.mixup == 0
    for task in ("classification", "regression", "reconstruction"):
        check_fine_tuning(plain, "train", task, "array")


@pytest.mark.parametrize("weights", ["balanced", {"0": 2, "cat": 0.5}])
def test_class_weights_are_a_word_or_a_mapping(weights: Any) -> None:
    assert config(class_weights=weights).class_weights == weights


@pytest.mark.parametrize("weights", ["equal", {"a": 0}, {"a": -1.0}, {"a": "b"}, [1, 2]])
def test_other_class_weights_are_refused(weights: Any) -> None:
    with pytest.raises(ValidationError, match="expected balanced, or class names with numbers"):
        config(class_weights=weights)


@pytest.mark.parametrize(
    ("values", "fitting"),
    [
        ({"label_smoothing": 0.1}, {"classification", "binary", "multi_label"}),
        ({"mixup": 0.2}, {"classification", "binary", "multi_label"}),
        ({"class_weights": "balanced"}, {"classification", "binary"}),
    ],
)
@pytest.mark.parametrize(
    "task", ["classification", "binary", "multi_label", "regression", "reconstruction"]
)
def test_tasks_without_classes_are_refused(
    values: dict[str, Any], fitting: set[str], task: str
) -> None:
    if task in fitting:
        check_fine_tuning(config(**values), "prune", task, "array")
        return
    with pytest.raises(ValueError, match=rf"prune\.{next(iter(values))} is for .*leave it out"):
        check_fine_tuning(config(**values), "prune", task, "array")


@pytest.mark.parametrize("kind", ["text", "tokens"])
def test_samples_that_are_no_images_take_noise_at_most(kind: Any) -> None:
    noise, turned = config(augmentation={"noise": 0.1}), config(augmentation={"rotate": 5})
    check_fine_tuning(turned, "train", "classification", "images")
    check_fine_tuning(noise, "train", "classification", "table")
    with pytest.raises(ValueError, match=r"rows of a table, which only noise fits"):
        check_fine_tuning(turned, "train", "classification", "table")
    for values in ({"augmentation": {"noise": 0.1}}, {"mixup": 0.2}):
        with pytest.raises(ValueError, match=rf"train\.{next(iter(values))} .* token ids"):
            check_fine_tuning(config(**values), "train", "classification", kind)
