"""What the compile configs of both Kerases tell, read as names and numbers."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.foreign.compile_facts import CompileFacts, compile_facts

LOGITS = {
    "module": "keras.losses",
    "class_name": "SparseCategoricalCrossentropy",
    "config": {"from_logits": True, "fn": "sparse_categorical_crossentropy"},
}
ADAM = {"class_name": "Custom>Adam", "config": {"name": "Adam", "learning_rate": 0.25}}
SCHEDULE = {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.1}}


@pytest.mark.parametrize(
    ("config", "facts"),
    [
        ({"optimizer": ADAM, "loss": LOGITS},
         ("sparse_categorical_crossentropy", True, "adam", 0.25)),
        ({"optimizer_config": ADAM, "loss": "mse"}, ("mean_squared_error", None, "adam", 0.25)),
        ({"optimizer": "rmsprop", "loss": "binary_crossentropy"},
         ("binary_crossentropy", False, "rmsprop", None)),
        ({"optimizer": {"class_name": "SGD", "config": {"lr": 1}}, "loss": None},
         (None, None, "sgd", 1.0)),
        ({"optimizer": {"class_name": "Adam", "config": {"learning_rate": SCHEDULE}}},
         (None, None, "adam", None)),
        ({"loss": ["mae"]}, ("mean_absolute_error", None, None, None)),
        ({"loss": {"logits": LOGITS}}, ("sparse_categorical_crossentropy", True, None, None)),
        ({"loss": {"a": "mse", "b": "mae"}, "optimizer": "sgd"}, (None, None, "sgd", None)),
        ({"loss": {"class_name": "function", "config": "huber_loss"}}, ("huber", None, None, None)),
        ({"loss": {"class_name": "KLDivergence", "config": {}}},
         ("kl_divergence", None, None, None)),
        ({"loss": {"class_name": "mine>MyLoss", "config": {}}}, ("my_loss", None, None, None)),
    ],
)  # fmt: skip
def test_names_and_numbers(config: Any, facts: tuple[Any, ...]) -> None:
    assert compile_facts(config) == CompileFacts(*facts)


@pytest.mark.parametrize(
    "config",
    [None, [], "adam", {}, {"loss": []}, {"loss": 3, "optimizer": [1]},
     {"loss": {"class_name": ["x"], "config": 3}}, {"loss": {"class_name": "x" * 1000}}],
)  # fmt: skip
def test_what_tells_nothing(config: Any) -> None:
    assert compile_facts(config) is None
