"""Zeros, zero blocks and groups are counted, and held to what was promised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.bridge.pruning_count import check_total, count_zeros
from pipeline.bridge.pruning_schedule import Sparsities
from pipeline.bridge.start import import_tf_keras
from pipeline.config.prune import PruneConfig
from pipeline.errors import PromiseError

PLAIN = PruneConfig()


def settings(**values: Any) -> PruneConfig:
    return PruneConfig.model_validate(values)


def dense(kernel: Any) -> Any:
    tf_keras = import_tf_keras()
    kernel = np.array(kernel, np.float32)
    model = tf_keras.Sequential(
        [tf_keras.Input((kernel.shape[0],)), tf_keras.layers.Dense(kernel.shape[1], name="d")]
    )
    model.get_layer("d").kernel.assign(kernel)
    return model


def count(kernel: Any, final: float, config: PruneConfig = PLAIN) -> dict[str, Any]:
    return count_zeros(dense(kernel), {"d": Sparsities(0.0, final)}, config)[0]


def test_too_few_zeros_break_the_promise() -> None:
    kernel = np.arange(8, dtype=np.float32).reshape(2, 4)
    words = "'d' kernel has 1 zeros of 8 weights, expected at least 4"
    with pytest.raises(PromiseError, match=words):
        count(kernel, 0.5)
    assert count(np.where(kernel < 4, 0, kernel), 0.5)["sparsity"] == 0.5


def test_ties_at_the_threshold_are_no_broken_promise() -> None:
    row = count([[0, 0, 1, 1], [1, -1, 5, 6]], 0.5)
    assert (row["zeros"], row["ties"]) == (2, 3)


def test_blocks_are_zero_as_a_whole() -> None:
    blocks = settings(block_size=(2, 1))
    row = count([[0, 1, 0, 2], [0, 0, 0, 3]], 0.5, blocks)
    assert (row["blocks"], row["zero_blocks"], row["zeros"]) == (4, 2, 5)
    with pytest.raises(PromiseError, match="1 zeros of 4 blocks, expected at least 2"):
        count([[0, 1, 4, 2], [0, 0, 0, 3]], 0.5, blocks)


def test_every_group_of_inputs_has_its_zeros() -> None:
    two_of_four = settings(sparsity_m_by_n=(2, 4))
    row = count([[0, 1], [1, 0], [0, 0], [2, 3]], 0.5, two_of_four)
    assert row["groups"] == 2
    with pytest.raises(PromiseError, match="1 of 2 groups of 4 weights with fewer than 2 zeros"):
        count([[0, 1], [1, 1], [0, 0], [2, 3]], 0.5, two_of_four)


def test_the_total_may_be_off_by_one_weight_of_each_kernel() -> None:
    config = settings(distribution="erk")
    rows = [{"zeros": 9, "parameters": 20, "ties": 0}, {"zeros": 30, "parameters": 40, "ties": 0}]
    check_total(rows, 41, config)
    with pytest.raises(PromiseError, match=r"39 of 60 pruned weights .* at least 40 .*erk"):
        check_total(rows, 42, config)
