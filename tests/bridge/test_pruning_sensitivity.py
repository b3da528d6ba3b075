"""What the loss does when one layer loses its smallest weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.artifacts.measurements import Measurements
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.predict import evaluate
from pipeline.bridge.pruning_sensitivity import measure_pruning, zeroed
from pipeline.data.prepared import PreparedData
from pipeline.progress import SilentProgress
from tests.bridge.bridge_models import chain_cnn


class Variable:
    def __init__(self, values: Any) -> None:
        self.values = np.array(values, np.float32)

    def numpy(self) -> np.ndarray:
        return self.values

    def assign(self, values: np.ndarray) -> None:
        self.values = values


def test_the_smallest_weights_of_each_kernel_go_and_come_back() -> None:
    one, other = Variable([[1, -2], [3, -4]]), Variable([8, 7, -6, 5])
    with zeroed([one, other], 4):
        assert one.values.tolist() == [[0, 0], [3, -4]]
        assert other.values.tolist() == [8, 7, 0, 0]
    assert one.values.tolist() == [[1, -2], [3, -4]]
    assert other.values.tolist() == [8, 7, -6, 5]


def test_points_of_a_curve_are_losses_of_thinned_models(
    tiny_data: PreparedData, known: Measurements
) -> None:
    plain = to_tf_keras(chain_cnn())
    kernel = plain.get_layer("c2").kernel
    before = kernel.numpy()
    curves = measure_pruning(
        plain, [[kernel]], np.array([200]), tiny_data, 30, 0, known, SilentProgress()
    )
    np.testing.assert_array_equal(kernel.numpy(), before)
    assert list(curves[0]) == [50, 100, 140, 160, 180, 190, 196, 200]
    whole = evaluate(plain, tiny_data.validation, tiny_data.task)["loss"]
    limit = np.sort(np.abs(before).reshape(-1))[140]
    kernel.assign(np.where(np.abs(before) < limit, 0, before))
    thinned = evaluate(plain, tiny_data.validation, tiny_data.task)["loss"]
    assert curves[0][140] == pytest.approx(thinned - whole, abs=1e-6)
    assert abs(curves[0][140]) > 1e-4
