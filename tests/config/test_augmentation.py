from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config.augmentation import Augmentation


def augmentation(**values: Any) -> Augmentation:
    return Augmentation.model_validate_json(json.dumps(values))


def test_nothing_is_changed_unless_asked_for() -> None:
    plain = augmentation()
    assert not plain.moves and not plain.needs_images and plain.noise == 0


@pytest.mark.parametrize(
    "values",
    [
        {"horizontal_flip": True}, {"vertical_flip": True}, {"shift": 1}, {"shift": 0.1},
        {"crop": 2}, {"rotate": 10}, {"zoom": 0.1},
    ],
)  # fmt: skip
def test_what_moves_needs_images(values: dict[str, Any]) -> None:
    assert augmentation(**values).moves and augmentation(**values).needs_images


def test_shading_needs_images_and_noise_does_not() -> None:
    for key in ("contrast", "brightness"):
        assert augmentation(**{key: 0.1}).needs_images and not augmentation(**{key: 0.1}).moves
    assert not augmentation(noise=0.1).needs_images


@pytest.mark.parametrize(("value", "kind"), [(2, int), (0.1, float), (0, int)])
def test_shift_is_pixels_or_a_fraction(value: float, kind: type) -> None:
    shift = augmentation(shift=value).shift
    assert shift == value and type(shift) is kind


@pytest.mark.parametrize(
    "values",
    [
        {"shift": 1.5}, {"shift": -1}, {"rotate": 181}, {"zoom": 1.0}, {"contrast": 1.1},
        {"noise": -0.1}, {"fill": "black"}, {"flip": True},
    ],
)  # fmt: skip
def test_values_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        augmentation(**values)


def test_a_wrong_shift_is_told_what_is_right() -> None:
    with pytest.raises(ValidationError, match=r"received 1.5, expected whole pixels \(2\) or a fr"):
        augmentation(shift=1.5)


def test_fill_value_belongs_to_constant() -> None:
    assert augmentation(fill_value=-1.0).fill_value == -1.0
    with pytest.raises(ValidationError, match="fill_value belongs to fill constant, not to wrap"):
        augmentation(fill="wrap", fill_value=1.0)
