"""Model configurations that the model tests share."""

from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import TypeAdapter

from pipeline.config.model import ModelConfig
from pipeline.tasks.task import Task, classification

# The smallest configuration of each architecture, and an input shape that it takes.
SMALL: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "mlp": ({"units": (6, 5)}, (4,)),
    "lenet_300_100": ({}, (8, 8, 1)),
    "lenet_5": ({}, (16, 16, 1)),
    "small_cnn": ({"filters": (3, 4), "units": 5}, (8, 8, 1)),
    "ds_cnn": ({"filters": 4, "blocks": 2}, (8, 8, 1)),
    "resnet_8": ({"filters": 2}, (8, 8, 3)),
    "autoencoder": ({"filters": (3, 4), "units": (5,), "bottleneck": 2}, (6, 5, 2)),
}


def classes(count: int) -> Task:
    """Returns a classification of `count` classes."""
    return classification(tuple(f"class {number}" for number in range(count)))


def task_of(architecture: str) -> Task:
    """Returns a task that the architecture's small configuration fits."""
    if architecture == "autoencoder":
        return Task("reconstruction", math.prod(SMALL[architecture][1]))
    return classes(3)


def model_config(architecture: str, **options: Any) -> ModelConfig:
    """Returns the small configuration of an architecture, with `options` on top."""
    values = {"architecture": architecture, **SMALL[architecture][0], **options}
    config: ModelConfig = TypeAdapter(ModelConfig).validate_python(values)
    return config


@pytest.fixture(autouse=True)
def _keras_3() -> None:
    from pipeline.runtime import import_tensorflow

    import_tensorflow()
    import keras

    keras.utils.set_random_seed(0)
