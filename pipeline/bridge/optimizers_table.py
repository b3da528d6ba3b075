"""Which optimizers cross to tf_keras, and with which arguments. No TensorFlow is imported here:
the planner refuses at once what would fail an hour later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.config.optimizer import OptimizerConfig

_CLIPPING = frozenset({"clipnorm", "clipvalue", "global_clipnorm", "weight_decay"})
_BETAS = frozenset({"beta_1", "beta_2"})

# name in the configuration: (tf_keras class, arguments both Kerases have).
TF_KERAS_OPTIMIZERS: dict[str, tuple[str, frozenset[str]]] = {
    "adadelta": ("Adadelta", _CLIPPING | {"rho", "epsilon"}),
    "adafactor": (
        "Adafactor",
        _CLIPPING | {"beta_2_decay", "epsilon_1", "epsilon_2", "clip_threshold", "relative_step"},
    ),
    "adagrad": ("Adagrad", _CLIPPING | {"initial_accumulator_value", "epsilon"}),
    "adam": ("Adam", _CLIPPING | _BETAS | {"epsilon", "amsgrad"}),
    "adamax": ("Adamax", _CLIPPING | _BETAS | {"epsilon"}),
    "adamw": ("AdamW", _CLIPPING | _BETAS | {"epsilon", "amsgrad"}),
    "ftrl": (
        "Ftrl",
        _CLIPPING
        | {
            "learning_rate_power",
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
            "beta",
        },
    ),
    "lion": ("Lion", _CLIPPING | _BETAS),
    "nadam": ("Nadam", _CLIPPING | _BETAS | {"epsilon"}),
    "rmsprop": ("RMSprop", _CLIPPING | {"rho", "momentum", "epsilon", "centered"}),
    "sgd": ("SGD", _CLIPPING | {"momentum", "nesterov"}),
}


def check_optimizer_crosses(config: OptimizerConfig, stage: str) -> None:
    """Refuses an optimizer, or an argument, that tf_keras lacks.

    Args:
        config: the optimizer of a stage behind the bridge.
        stage: path of its section, e.g. "prune" or "quantize.qat".

    Raises:
        ConfigError: naming the field, what was received and what is possible.
    """
    if config.name not in TF_KERAS_OPTIMIZERS:
        raise ConfigError(
            f"{stage}.optimizer: received '{config.name}', which tf_keras lacks; this stage runs "
            f"there, choose one of {', '.join(TF_KERAS_OPTIMIZERS)}"
        )
    known = TF_KERAS_OPTIMIZERS[config.name][1]
    for argument in config.keras_arguments():
        if argument not in known:
            raise ConfigError(
                f"{stage}.optimizer: received the argument '{argument}', which the {config.name} "
                f"of this stage lacks; choose among {', '.join(sorted(known))}"
            )
