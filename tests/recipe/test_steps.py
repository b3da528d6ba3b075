from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError
from pipeline.plan import chain_of
from pipeline.recipe.steps import Wishes, fine_tuning, make_recipe

MODEL = {"path": "mine.keras"}
DATA = {"source": "digits", "task": "classification"}


def recipe(wishes: Wishes, task: str = "classification", prunes: bool = True) -> dict[str, Any]:
    return make_recipe({**DATA, "task": task}, MODEL, wishes, 1000, 0.001, prunes)


@pytest.mark.parametrize(
    ("samples", "epochs", "batch"),
    [(100, 30, 32), (2000, 24, 32), (60_000, 4, 128), (10**6, 3, 128)],
)
def test_few_samples_get_more_epochs(samples: int, epochs: int, batch: int) -> None:
    found = fine_tuning(samples, None, None)
    assert (found["epochs"], found["batch_size"]) == (epochs, batch)
    assert fine_tuning(samples, None, 7)["epochs"] == 7


def test_the_rate_is_that_of_the_training() -> None:
    assert fine_tuning(1000, 0.002, None)["optimizer"]["learning_rate"] == 0.002
    assert fine_tuning(1000, None, None)["optimizer"]["learning_rate"] == 0.0005
    # Of SGD, whose rates are larger than Adam's.
    assert fine_tuning(1000, 0.5, None)["optimizer"]["learning_rate"] == 0.003


@pytest.mark.parametrize(
    ("wishes", "task", "prunes", "first"),
    [
        (Wishes(), "classification", True, "prune"),
        (Wishes(), "classification", False, "quantize"),
        (Wishes(sparsity=0.0), "classification", True, "quantize"),
        (Wishes(), "parity", True, "quantize"),
        (Wishes(max_accuracy_drop=0.01), "classification", True, "prune"),
        (Wishes(scheme="float16", max_accuracy_drop=0.01), "classification", True, "prune"),
        (Wishes(scheme="int4"), "classification", True, "prune"),
    ],
)
def test_a_recipe_is_a_configuration_that_can_be_planned(
    wishes: Wishes, task: str, prunes: bool, first: str
) -> None:
    config = validate(recipe(wishes, task, prunes))
    assert [stage.name for stage in chain_of(config)][:3] == ["data", "load", first]
    bounded = wishes.max_accuracy_drop is not None and wishes.scheme == "int8"
    assert config.quantize.method == ("auto" if bounded else "ptq")
    assert (config.quantize.fine_tuning.distillation is not None) == bounded
    assert config.quantize.max_accuracy_drop == wishes.max_accuracy_drop


def test_a_sparsity_that_cannot_be() -> None:
    with pytest.raises(ConfigError, match=r"--sparsity 1.5: expected at least 0 and below 1"):
        Wishes(sparsity=1.5)
