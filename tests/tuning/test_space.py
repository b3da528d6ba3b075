"""Spaces are checked by being applied, before the first trial."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import apply_overrides
from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.tuning.space import check_space, end_values
from tests.tuning.conftest import make_config
from tests.tuning.test_parameters import spaces


def check(space: dict[str, Any], config: Config | None = None, **tune: Any) -> None:
    config = config or make_config(search_space=space, **tune)
    check_space(config, spaces(space))


def test_good_spaces_pass() -> None:
    config = apply_overrides(make_config(), {"train.early_stopping": {"patience": 3}})
    check(
        {
            "train.optimizer.learning_rate": {"float": [1e-4, 1e-2], "sampling": "log"},
            "train.optimizer.beta_1": {"float": [0.5, 0.99]},
            "model.dropout": {"float": [0.0, 0.5]},
            "train.batch_size": {"choice": [32, 64]},
            "train.early_stopping.patience": {"int": [1, 5]},
            "train.schedule": {"choice": [{"kind": "constant"}, {"kind": "cosine"}]},
        },
        config,
    )


def test_architectures_with_their_own_keys_and_optimizers_with_theirs() -> None:
    check(
        {
            "model.architecture": {"choice": ["mlp", "small_cnn", "lenet_5"]},
            "model.units": {
                "list": {"int": [16, 128]}, "length": [1, 3], "when": {"model.architecture": "mlp"},
            },
            "model.filters": {
                "choice": [[8, 16], [16, 32]], "when": {"model.architecture": "small_cnn"},
            },
            "train.optimizer.name": {"choice": ["sgd", "adam"]},
            "train.optimizer.momentum": {
                "float": [0.0, 0.9], "when": {"train.optimizer.name": "sgd"},
            },
            "train.schedule.kind": {"choice": ["constant", "cosine"]},
        }
    )  # fmt: skip


def test_fine_tuning_of_the_chain() -> None:
    check(
        {
            "prune.pruning_schedule.final_sparsity": {"float": [0.5, 0.95]},
            "prune.optimizer.learning_rate": {"float": [1e-4, 1e-2]},
            "prune.distribution": {"choice": ["uniform", "erk", "global", "lamp", "sensitivity"]},
            "prune.block_size": {"choice": [None, [4, 1]]},
        }
    )
    config = apply_overrides(make_config(), {"quantize": {"method": "qat"}})
    check({"quantize.qat.optimizer.learning_rate": {"float": [1e-4, 1e-2]}}, config)


@pytest.mark.parametrize(
    ("path", "values", "message"),
    [
        ("run.seed", {"int": [1, 5]}, "cannot be searched: the luckiest seed is no better model"),
        ("data.max_train_samples", {"int": [1, 5]}, "the data is prepared once"),
        ("quantize.dense_scales", {"choice": ["per_channel", "per_tensor"]}, "only quantize.qat"),
        ("quantize.qat.epochs", {"int": [1, 5]}, "belongs to quantize.method: qat"),
        ("model", {"choice": [1, 2]}, "expected a path that begins with model., train., prune."),
        ("modle.units", {"int": [1, 2]}, "expected a path that begins with model., train."),
        ("train.epochs", {"int": [1, 5]}, "every trial trains for tune.epochs"),
        ("train.optimiser.learning_rate", {"float": [0.1, 0.2]}, "did you mean 'optimizer'"),
        ("model.droput", {"float": [0.1, 0.2]}, "did you mean 'dropout'"),
        ("model.dropout", {"float": [0.0, 1.0]}, "1.0 is not possible there: model.dropout"),
        ("train.batch_size", {"float": [16, 32]}, "16.0 is not possible there"),
        ("train.batch_size", {"int": [0, 32]}, "0 is not possible there"),
        ("train.batch_size", {"choice": [32, "all"]}, "'all' is not possible there"),
        ("train.early_stopping.patience", {"int": [1, 5]}, "'train.early_stopping' is None"),
        ("model.units", {"list": {"int": [0, 8]}, "length": [1, 2]}, "[0] is not possible there"),
        ("prune.optimizer.name", {"choice": ["adam", "lamb"]}, "'lamb', which tf_keras lacks"),
        ("prune.distribution", {"choice": ["erk", "er"]}, "'er' is not possible there"),
        ("prune.sparsity_m_by_n", {"choice": [[1, 4], [2, 4]]}, "pruning_schedule {kind: once}"),
    ],
)
def test_impossible_spaces_are_refused_by_path(
    path: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check({path: values})
    assert str(caught.value).startswith(f"tune.search_space.{path}: ")
    assert message in str(caught.value)


def test_a_key_that_another_architecture_lacks_needs_a_when() -> None:
    with pytest.raises(ConfigError, match=r"give model.units a `when: \{model.architecture: …\}`"):
        check(
            {
                "model.architecture": {"choice": ["mlp", "lenet_5"]},
                "model.units": {"list": {"int": [1, 5]}, "length": 2},
            }
        )


def test_two_paths_to_one_field_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"train.schedule and train.schedule.kind set the same"):
        check(
            {
                "train.schedule": {"choice": [{"kind": "constant"}, {"kind": "cosine"}]},
                "train.schedule.kind": {"choice": ["constant", "cosine"]},
            }
        )


def test_fine_tuning_needs_its_stage_and_a_model() -> None:
    space = {"prune.pruning_schedule.final_sparsity": {"float": [0.5, 0.9]}}
    config = make_config(search_space=space)
    without = apply_overrides(config, {"stages": ["train", "tune", "quantize"]})
    with pytest.raises(ConfigError, match="the chain has no stage prune after tune"):
        check(space, without)
    alone = apply_overrides(config, {"stages": ["tune", "prune"]})
    with pytest.raises(ConfigError, match="begin with the model before tune, and there is none"):
        check(space, alone)
    rate = {"quantize.qat.optimizer.learning_rate": {"float": [1e-4, 1e-2]}}
    clusters = {"stages": ["train", "tune", "cluster", "quantize"], "quantize.method": "qat"}
    with pytest.raises(ConfigError, match="the chain clusters before it quantizes, which a trial"):
        check(rate, apply_overrides(make_config(search_space=rate), clusters))
    student = {
        "stages": ["train", "tune", "distill", "prune"],
        "distill.student": {"architecture": "mlp"},
    }
    with pytest.raises(ConfigError, match="the chain distills before it fine-tunes, which a trial"):
        check(space, apply_overrides(config, student))
    narrows = {"stages": ["train", "tune", "narrow", "prune"]}
    with pytest.raises(ConfigError, match="the chain narrows before it comes there, which a trial"):
        check(space, apply_overrides(config, narrows))
    both = {**space, "model.dropout": {"float": [0.0, 0.5]}}
    check(both, apply_overrides(make_config(search_space=both), {"stages": ["tune", "prune"]}))


def test_the_training_of_a_trial_has_no_teacher_and_its_fine_tunings_have() -> None:
    rate = {"train.optimizer.learning_rate": {"float": [1e-4, 1e-2]}}
    sparsity = {"prune.pruning_schedule.final_sparsity": {"float": [0.5, 0.9]}}
    taught = apply_overrides(make_config(search_space=rate), {"prune.distillation": {}})
    check(rate, taught)  # its trials do not prune
    config = apply_overrides(make_config(search_space=rate), {"train.distillation": {}})
    with pytest.raises(ConfigError, match=r"train\.distillation: the trials of tune train and hav"):
        check(rate, config)
    alpha = {"train.distillation.alpha": {"float": [0.1, 0.9]}}
    with pytest.raises(ConfigError, match="of a trial has no teacher; compare two runs instead"):
        check(alpha, make_config(search_space=alpha))
    for space in (sparsity, {"prune.distillation.alpha": {"float": [0.1, 0.9]}}):
        both = {**space, **rate}
        config = apply_overrides(make_config(search_space=both), {"prune.distillation": {}})
        check(both, config)


def test_what_an_algorithm_cannot_do() -> None:
    with pytest.raises(ConfigError, match=r"model.dropout: a grid needs single values"):
        check({"model.dropout": {"float": [0.0, 0.5]}}, algorithm="grid")
    with pytest.raises(ConfigError, match=r"the grid has 10201000 points, expected at most 100000"):
        check(
            {
                "model.dropout": {"float": [0.0, 0.5], "step": 0.005},
                "train.batch_size": {"int": [1, 101000]},
            },
            algorithm="grid",
        )
    with pytest.raises(ConfigError, match="hyperband cuts trainings short"):
        check({"prune.epochs": {"int": [1, 3]}}, algorithm="hyperband")


def test_the_ends_of_a_list() -> None:
    space = spaces({"a": {"list": {"int": [1, 9]}, "length": [1, 2]}})
    assert end_values(space["a"]) == ([1], [9], [1, 1], [9, 9])
