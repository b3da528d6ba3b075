from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from pipeline.config.data import Preprocessing
from pipeline.data.arrays import CHUNK_ROWS
from pipeline.data.preprocessing import Affine, fit_affine
from pipeline.errors import DataError


def fit(kind: Any, x: np.ndarray, indices: list[int] | None = None, **more: Any) -> Affine:
    chosen = np.arange(len(x)) if indices is None else np.array(indices)
    affine = fit_affine(Preprocessing(kind=kind, **more), x, chosen)
    assert affine is not None
    return affine


def test_apply_by_hand() -> None:
    mapped = Affine((0.5, 2.0), (1.0, -1.0)).apply(np.array([[2, 3]], np.uint8))
    assert mapped.dtype == np.float32
    assert mapped.tolist() == [[2.0, 5.0]]


def test_two_maps_are_one() -> None:
    assert Affine(2.0, 1.0).followed_by(0.5, -1.0) == Affine(1.0, -0.5)
    assert Affine((2.0, 4.0), 1.0).followed_by(0.5, 0.0) == Affine((1.0, 2.0), 0.5)


def test_apply_leaves_its_input_alone() -> None:
    x = np.ones((2, 2), np.float32)
    Affine(3.0, 1.0).apply(x)
    assert x.tolist() == [[1, 1], [1, 1]]


def test_none_is_no_map() -> None:
    assert fit_affine(Preprocessing(kind="none"), np.ones((2, 2)), np.arange(2)) is None


def test_rescale_uses_the_largest_magnitude_of_the_training_split() -> None:
    x = np.array([[1.0], [-8.0], [100.0]])
    assert fit("rescale", x, [0, 1]) == Affine(0.125, 0.0)


def test_rescale_of_the_most_negative_integer_does_not_overflow() -> None:
    assert fit("rescale", np.array([[-128]], np.int8)) == Affine(1 / 128, 0.0)


def test_rescale_takes_given_factors() -> None:
    assert fit("rescale", np.ones((1, 1)), scale=0.25, offset=-1.0) == Affine(0.25, -1.0)


def test_rescale_of_zeros_is_refused() -> None:
    with pytest.raises(DataError, match="every training value is 0"):
        fit("rescale", np.array([[0.0], [5.0]]), [0])


def test_standardize_by_hand_per_feature() -> None:
    x = np.array([[1.0, 10.0], [3.0, 50.0], [999.0, 999.0]])
    affine = fit("standardize", x, [0, 1])  # means 2 and 30, deviations 1 and 20
    assert affine == Affine((1.0, 0.05), (-2.0, -1.5))


def test_standardize_of_images_is_per_channel() -> None:
    x = np.random.default_rng(0).integers(0, 255, (CHUNK_ROWS + 9, 2, 2, 3), dtype=np.uint8)
    affine = fit("standardize", x)
    assert isinstance(affine.scale, tuple) and len(affine.scale) == 3
    np.testing.assert_allclose(affine.scale, 1 / x.std(axis=(0, 1, 2)), rtol=1e-12)
    mapped = affine.apply(x).astype(np.float64)
    np.testing.assert_allclose(mapped.mean(axis=(0, 1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(mapped.std(axis=(0, 1, 2)), 1, rtol=1e-6)


def test_single_channel_has_scalar_factors() -> None:
    affine = fit("standardize", np.array([[[[0.0]]], [[[2.0]]]]))
    assert affine == Affine(1.0, -1.0)


@pytest.mark.parametrize("value", [0.1, 1e30, -7.0, 0.0])
def test_constant_feature_becomes_zero(value: float) -> None:
    x = np.stack([np.full(1000, value), np.arange(1000.0)], axis=1).astype(np.float32)
    affine = fit("standardize", x)
    mapped = affine.apply(x)
    assert isinstance(affine.scale, tuple) and affine.scale[0] == 1.0
    assert (mapped[:, 0] == 0).all()
    assert np.isfinite(mapped).all()


@pytest.mark.parametrize("affine", [Affine(0.1, -0.3), Affine((0.1, 1 / 3), (0.0, -2.0))])
def test_json_round_trip_is_exact(affine: Affine) -> None:
    assert Affine.from_json(json.loads(json.dumps(affine.to_json()))) == affine
