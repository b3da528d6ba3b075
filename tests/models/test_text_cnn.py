from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.models.build import build_model
from pipeline.tasks.task import Task
from tests.models.text_models import text_config

TASK = Task("binary", 1, ("no", "yes"))


def build(**options: Any) -> Any:
    config = text_config("text_cnn", embedding=4, filters=3, units=5, **options)
    return build_model(config, (6,), TASK, None, "int32", 11)


def test_parameters_by_hand() -> None:
    convolutions = sum(size * 4 * 3 + 3 for size in (2, 3))
    dense = (2 * 3 * 5 + 5) + (5 + 1)
    assert build(kernel_sizes=(2, 3)).count_params() == 11 * 4 + convolutions + dense
    assert build(kernel_sizes=(2,)).get_layer("dense").kernel.shape == (3, 5)


def test_options_act_where_they_should() -> None:
    model = build(kernel_sizes=(2, 3), dropout=0.5, spatial_dropout=0.25, l2=0.1)
    assert model.get_layer("dense_dropout").rate == 0.5
    assert model.get_layer("embedding_spatial_dropout").rate == 0.25
    assert model.get_layer("embedding").embeddings_regularizer is None
    assert len(model.losses) == 4  # two convolutions, dense, logits


def test_a_phrase_counts_wherever_it_stands() -> None:
    model = build(kernel_sizes=(2,))
    x = np.array([[0, 0, 5, 6, 0, 0], [0, 0, 0, 5, 6, 0], [0, 0, 6, 5, 0, 0]], np.int32)
    outputs = np.asarray(model(x))
    assert outputs[0] == outputs[1]
    assert outputs[0] != outputs[2]
