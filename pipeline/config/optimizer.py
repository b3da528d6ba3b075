"""Optimizers: the literal table of Keras's optimizers and their own arguments.

Keras is not imported to check a configuration, so the table stands here; a test compares it
with Keras's signatures and fails when they part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.suggest import did_you_mean


@dataclass(frozen=True)
class Kind:
    """What values an argument takes: Python types, bounds and words for an error."""

    words: str
    types: tuple[type, ...]
    low: float = -math.inf
    high: float = math.inf
    optional: bool = False

    def accepts(self, value: object) -> bool:
        """True if `value` is of this kind; a bool is no number, an int is a fine float."""
        if value is None:
            return self.optional
        if isinstance(value, bool) or self.types == (bool,):
            return isinstance(value, bool) and self.types == (bool,)
        if not isinstance(value, self.types) or not isinstance(value, int | float):
            return False
        return math.isfinite(value) and self.low <= value <= self.high


NUMBER = Kind("a number", (int, float))
POSITIVE = Kind("a number of at least 0", (int, float), low=0)
FRACTION = Kind("a number from 0 to 1", (int, float), low=0, high=1)
FLAG = Kind("true or false", (bool,))
COUNT = Kind("an integer of at least 0", (int,), low=0)
WEIGHT_DECAY = Kind("a number of at least 0, or null", (int, float), low=0, optional=True)

_BETAS = {"beta_1": FRACTION, "beta_2": FRACTION}
_ADAM = {**_BETAS, "epsilon": POSITIVE, "weight_decay": WEIGHT_DECAY}

# name in the configuration: (Keras's class, its own arguments)
OPTIMIZERS: dict[str, tuple[str, dict[str, Kind]]] = {
    "adadelta": (
        "Adadelta",
        {"rho": FRACTION, "epsilon": POSITIVE, "weight_decay": WEIGHT_DECAY},
    ),
    "adafactor": (
        "Adafactor",
        {
            "beta_2_decay": NUMBER,
            "epsilon_1": POSITIVE,
            "epsilon_2": POSITIVE,
            "clip_threshold": POSITIVE,
            "relative_step": FLAG,
            "weight_decay": WEIGHT_DECAY,
        },
    ),
    "adagrad": (
        "Adagrad",
        {
            "initial_accumulator_value": POSITIVE,
            "epsilon": POSITIVE,
            "weight_decay": WEIGHT_DECAY,
        },
    ),
    "adam": ("Adam", {**_ADAM, "amsgrad": FLAG}),
    "adamax": ("Adamax", _ADAM),
    "adamw": ("AdamW", {**_ADAM, "amsgrad": FLAG}),
    "ftrl": (
        "Ftrl",
        {
            "learning_rate_power": NUMBER,
            "initial_accumulator_value": POSITIVE,
            "l1_regularization_strength": POSITIVE,
            "l2_regularization_strength": POSITIVE,
            "l2_shrinkage_regularization_strength": POSITIVE,
            "beta": NUMBER,
            "weight_decay": WEIGHT_DECAY,
        },
    ),
    "lamb": ("Lamb", _ADAM),
    "lion": ("Lion", {**_BETAS, "weight_decay": WEIGHT_DECAY}),
    "muon": (
        "Muon",
        {
            "adam_beta_1": FRACTION,
            "adam_beta_2": FRACTION,
            "adam_weight_decay": WEIGHT_DECAY,
            "epsilon": POSITIVE,
            "weight_decay": WEIGHT_DECAY,
            "exclude_embeddings": FLAG,
            "muon_a": NUMBER,
            "muon_b": NUMBER,
            "muon_c": NUMBER,
            "adam_lr_ratio": POSITIVE,
            "momentum": FRACTION,
            "ns_steps": COUNT,
            "nesterov": FLAG,
            "rms_rate": POSITIVE,
        },
    ),
    "nadam": ("Nadam", _ADAM),
    "rmsprop": (
        "RMSprop",
        {
            "rho": FRACTION,
            "momentum": FRACTION,
            "epsilon": POSITIVE,
            "centered": FLAG,
            "weight_decay": WEIGHT_DECAY,
        },
    ),
    "schedulefreeadamw": (
        "ScheduleFreeAdamW",
        {**_ADAM, "warmup_steps": COUNT},
    ),
    "sgd": (
        "SGD",
        {"momentum": FRACTION, "nesterov": FLAG, "weight_decay": WEIGHT_DECAY},
    ),
}

# Where Keras's own default fails. Adafactor's epsilon_1 of 1e-30 is squared in float32: it
# vanishes for a weight whose row and column have no gradient (a pixel that is always 0 and a dead
# unit), and the update is 0 / 0 (keras 3.15.1, tf_keras 2.21.0).
SAFER_DEFAULTS: dict[str, dict[str, float]] = {"adafactor": {"epsilon_1": 1e-16}}


class GradientClipping(Section):
    """Exactly one way to bound gradients."""

    value: float | None = Field(None, gt=0, description="largest absolute value of an element")
    norm: float | None = Field(None, gt=0, description="largest L2 norm of one gradient")
    global_norm: float | None = Field(
        None, gt=0, description="largest L2 norm of all gradients together"
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> GradientClipping:
        given = [name for name, value in self if value is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected exactly one of value, norm and global_norm, received {len(given)}"
            )
        return self


class OptimizerConfig(Section):
    """An optimizer of Keras by name; its own arguments stand beside the declared keys."""

    name: str = Field("adam", description="one of " + ", ".join(OPTIMIZERS))
    learning_rate: float = Field(0.001, gt=0, le=100, description="before the schedule")
    gradient_clipping: GradientClipping | None = Field(
        None, description="bound on the gradients: {value: v}, {norm: v} or {global_norm: v}"
    )
    use_ema: bool = Field(
        False, description="validate and keep the moving average of the weights, not the weights"
    )
    ema_momentum: float = Field(
        0.99, ge=0, lt=1, description="average = m · average + (1 - m) · weights at each update"
    )
    gradient_accumulation_steps: int = Field(
        1, ge=1, le=1_000_000, description="batches whose mean gradient makes one update"
    )
    arguments: dict[str, Any] = Field(
        default_factory=dict,
        description="written beside the name, as in {name: sgd, momentum: 0.9}",
    )

    @model_validator(mode="before")
    @classmethod
    def _gather_arguments(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        own = set(cls.model_fields)
        arguments = dict(value.get("arguments") or {})
        arguments |= {key: item for key, item in value.items() if key not in own}
        declared = {key: item for key, item in value.items() if key in own}
        return {**declared, "arguments": arguments}

    @model_validator(mode="after")
    def _check_arguments(self) -> OptimizerConfig:
        if self.name not in OPTIMIZERS:
            raise ValueError(
                f"unknown optimizer '{self.name}'{did_you_mean(self.name, OPTIMIZERS)}"
            )
        kinds = OPTIMIZERS[self.name][1]
        for key, value in self.arguments.items():
            if key not in kinds:
                known = [*kinds, *(name for name in type(self).model_fields if name != "arguments")]
                raise ValueError(f"{self.name} has no argument '{key}'{did_you_mean(key, known)}")
            if not kinds[key].accepts(value):
                raise ValueError(f"{key}: expected {kinds[key].words}, received {value!r}")
        default = type(self).model_fields["ema_momentum"].default
        if not self.use_ema and self.ema_momentum != default:
            raise ValueError(f"ema_momentum {self.ema_momentum} needs use_ema: true")
        return self

    @property
    def keras_class_name(self) -> str:
        """The class in `keras.optimizers`, e.g. "SGD"."""
        return OPTIMIZERS[self.name][0]

    def keras_arguments(self) -> dict[str, Any]:
        """Returns the arguments of the Keras class, without the learning rate.

        Moving average and accumulation are not among them: the training loops do these, alike
        in both Kerases (pipeline/training/averaging.py and accumulation.py).
        """
        clipping = self.gradient_clipping
        arguments = {**SAFER_DEFAULTS.get(self.name, {}), **self.arguments}
        if clipping is None:
            return arguments
        names = {"value": "clipvalue", "norm": "clipnorm", "global_norm": "global_clipnorm"}
        bound = {names[key]: value for key, value in clipping if value is not None}
        return {**arguments, **bound}
