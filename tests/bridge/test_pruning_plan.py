"""Which layers are pruned, and how the one target is spread over them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.artifacts.measurements import Measurements
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.pruning_plan import choose_layers, least_weights, plan_pruning
from pipeline.config.prune import PruneConfig
from pipeline.data.prepared import PreparedData
from pipeline.errors import ConfigError
from pipeline.progress import SilentProgress
from tests.bridge.bridge_models import chain_cnn


@pytest.fixture(scope="module")
def plain() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    return to_tf_keras(chain_cnn())


def settings(final: float = 0.8, **values: Any) -> PruneConfig:
    schedule = {"kind": "polynomial", "final_sparsity": final, "initial_sparsity": 0.1}
    return PruneConfig.model_validate({"pruning_schedule": schedule, **values})


def zeros(
    plain: Any, config: PruneConfig, data: PreparedData, known: Measurements
) -> tuple[dict[str, int], Any]:
    plan = plan_pruning(plain, config, data, 0, known, SilentProgress())
    sizes = {name: plain.get_layer(name).kernel.shape.num_elements() for name in plan.targets}
    return {name: round(plan.targets[name].final * sizes[name]) for name in sizes}, plan


@pytest.mark.parametrize("distribution", ["erk", "global", "lamp", "sensitivity"])
def test_all_layers_together_meet_the_one_target(
    plain: Any, tiny_data: PreparedData, known: Measurements, distribution: str
) -> None:
    before = [kernel.numpy() for kernel in plain.trainable_weights]
    found, plan = zeros(plain, settings(distribution=distribution), tiny_data, known)
    weights = sum(plain.get_layer(name).kernel.shape.num_elements() for name in found)
    assert plan.zeros == round(0.8 * weights) == sum(found.values())
    for name, count in found.items():
        layer = plain.get_layer(name)
        assert 0 <= count <= layer.kernel.shape.num_elements() - least_weights(layer)
    assert len(set(found.values())) == 3, "no layer gets what another gets"
    assert set(plan.curves) == (set(found) if distribution == "sensitivity" else set())
    for kernel, values in zip(plain.trainable_weights, before, strict=True):
        np.testing.assert_array_equal(kernel.numpy(), values)


def test_uniform_promises_each_layer_alone(
    plain: Any, tiny_data: PreparedData, known: Measurements
) -> None:
    plan = plan_pruning(
        plain, settings(distribution="uniform"), tiny_data, 0, known, SilentProgress()
    )
    assert plan.zeros is None
    assert {sparsities.final for sparsities in plan.targets.values()} == {0.8}


def test_layers_of_their_own_keep_it_and_the_others_make_up(
    plain: Any, tiny_data: PreparedData, known: Measurements
) -> None:
    layers = {"c2": {"final_sparsity": 0.5}, "logits": {"skip": True}}
    found, plan = zeros(plain, settings(0.5, distribution="erk", layers=layers), tiny_data, known)
    assert found == {"c1": 18, "c2": 108}
    assert plan.zeros == 126
    assert plan.targets["c1"].initial == 0.1


def test_what_the_others_cannot_make_up_is_refused(
    plain: Any, tiny_data: PreparedData, known: Measurements
) -> None:
    layers = {"c2": {"final_sparsity": 0.1}}
    config = settings(0.9, distribution="global", layers=layers)
    words = r"asks for \d+ zeros, of which .* have 22; the 2 other layers can have 0 to \d+.*lower"
    with pytest.raises(ConfigError, match=words):
        plan_pruning(plain, config, tiny_data, 0, known, SilentProgress())
    config = settings(0.1, distribution="global", layers={"c2": {"final_sparsity": 0.9}})
    with pytest.raises(ConfigError, match=r"have 194; .*raise the target or change prune\.layers"):
        plan_pruning(plain, config, tiny_data, 0, known, SilentProgress())


@pytest.mark.parametrize("distribution", ["erk", "global", "lamp", "sensitivity"])
def test_a_target_that_leaves_less_than_one_for_each_output_leaves_one_in_each_layer(
    plain: Any, tiny_data: PreparedData, known: Measurements, distribution: str
) -> None:
    layers = [plain.get_layer(name) for name in ("c1", "c2", "logits")]
    weights = sum(layer.kernel.shape.num_elements() for layer in layers)
    asked = weights - sum(map(least_weights, layers)) + 3
    found, plan = zeros(
        plain, settings(asked / weights, distribution=distribution), tiny_data, known
    )
    assert sum(found.values()) == plan.zeros == asked
    for layer in layers:
        assert found[layer.name] < layer.kernel.shape.num_elements()


def test_too_high_a_target_is_refused_before_any_work(plain: Any) -> None:
    with pytest.raises(ConfigError, match=r"the 3 layers can have 0 to \d+, one weight of each"):
        choose_layers(plain, settings(0.999, distribution="erk"))


def test_an_initial_sparsity_above_what_a_distribution_gives_is_refused(
    plain: Any, tiny_data: PreparedData, known: Measurements
) -> None:
    layers = {"c1": {"initial_sparsity": 0.7}}
    with pytest.raises(ConfigError, match=r"'c1' has initial_sparsity 0\.7 above final_sparsity 0"):
        plan_pruning(
            plain, settings(0.5, distribution="erk", layers=layers), tiny_data, 0, known,
            SilentProgress(),
        )  # fmt: skip


def test_layers_that_cannot_have_the_pattern_are_left_dense(plain: Any) -> None:
    chosen, skipped = choose_layers(plain, PruneConfig.model_validate({"sparsity_m_by_n": (2, 4)}))
    assert {name: sparsities.final for name, sparsities in chosen.items()} == {
        "c2": 0.5, "logits": 0.5,
    }  # fmt: skip
    reasons = {entry["layer"]: entry["reason"] for entry in skipped}
    assert reasons["c1"] == "1 inputs are no multiple of the 4 of sparsity_m_by_n"
    with pytest.raises(ConfigError, match=r"c1: 9 × 4 weights are no whole blocks of 7 × 2"):
        choose_layers(plain, PruneConfig.model_validate({"block_size": (7, 2)}))
