"""Optimizers in tf_keras."""

from __future__ import annotations

import pytest

from pipeline.bridge.optimizers import build_tf_keras_optimizer
from pipeline.bridge.optimizers_table import TF_KERAS_OPTIMIZERS
from pipeline.config.optimizer import OptimizerConfig
from pipeline.errors import ConfigError


@pytest.mark.parametrize("name", TF_KERAS_OPTIMIZERS)
def test_each_optimizer_of_the_table_is_built(name: str) -> None:
    optimizer = build_tf_keras_optimizer(OptimizerConfig(name=name, learning_rate=0.25), "prune")
    assert type(optimizer).__name__ == TF_KERAS_OPTIMIZERS[name][0]
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.jit_compile is False


def test_arguments_and_clipping_arrive() -> None:
    config = OptimizerConfig.model_validate(
        {"name": "sgd", "momentum": 0.9, "nesterov": True, "gradient_clipping": {"norm": 2.0}}
    )
    settings = build_tf_keras_optimizer(config, "prune").get_config()
    assert (settings["momentum"], settings["nesterov"], settings["clipnorm"]) == (0.9, True, 2.0)


def test_what_does_not_cross_is_refused() -> None:
    with pytest.raises(ConfigError, match="which tf_keras lacks"):
        build_tf_keras_optimizer(OptimizerConfig(name="muon"), "prune")
