"""The literal table of optimizers against Keras itself."""

from __future__ import annotations

import inspect

import pytest

from pipeline.config.optimizer import OPTIMIZERS, OptimizerConfig
from pipeline.runtime import import_tensorflow

# Not an optimizer of its own (it holds others), and what every optimizer shares: the training
# loops do moving averages and accumulation themselves, alike in both Kerases.
HOLDERS = {"Optimizer", "LossScaleOptimizer", "MultiOptimizer"}
SHARED = {
    "self", "name", "kwargs", "learning_rate", "clipnorm", "clipvalue", "global_clipnorm",
    "loss_scale_factor", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "gradient_accumulation_steps",
}  # fmt: skip
# Takes a function or a list of patterns, which a configuration file cannot hold.
NOT_PLAIN = {"exclude_layers"}


def test_the_table_is_keras_s_own() -> None:
    import_tensorflow()
    import keras

    found = {
        name: set(inspect.signature(kind.__init__).parameters) - SHARED - NOT_PLAIN
        for name, kind in vars(keras.optimizers).items()
        if inspect.isclass(kind)
        and issubclass(kind, keras.optimizers.Optimizer)
        and name not in HOLDERS
    }
    assert {name: set(arguments) for name, arguments in OPTIMIZERS.values()} == found
    assert set(OPTIMIZERS) == {name.lower() for name in found}


def test_arguments_reach_keras_by_its_names() -> None:
    config = OptimizerConfig.model_validate(
        {"name": "sgd", "momentum": 0.9, "gradient_clipping": {"global_norm": 1.0}}
    )
    assert config.keras_class_name == "SGD"
    assert config.keras_arguments() == {"momentum": 0.9, "global_clipnorm": 1.0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "sgd", "nesterov": 1}, "nesterov: expected true or false, received 1"),
        ({"name": "adam", "beta_1": True}, "beta_1: expected a number from 0 to 1, received True"),
        ({"name": "adam", "epsilon": None}, "epsilon: expected a number of at least 0"),
        ({"name": "muon", "ns_steps": 2.5}, "ns_steps: expected an integer of at least 0"),
        ({"name": "adam", "momentum": 0.9}, "adam has no argument 'momentum'"),
    ],
)
def test_arguments_of_another_kind_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OptimizerConfig.model_validate(arguments)


def test_weight_decay_may_be_none() -> None:
    config = OptimizerConfig.model_validate({"name": "adamw", "weight_decay": None})
    assert config.keras_arguments() == {"weight_decay": None}


def test_a_momentum_of_no_average_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ema_momentum 0\.5 needs use_ema: true"):
        OptimizerConfig(ema_momentum=0.5)
    assert OptimizerConfig(use_ema=True, ema_momentum=0.5).keras_arguments() == {}
