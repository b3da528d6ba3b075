from __future__ import annotations

import pytest

from pipeline.models.build import build_model
from tests.models.conftest import classes, model_config


def test_parameters_by_hand() -> None:
    model = build_model(model_config("mlp", units=(6, 5)), (4,), classes(3))
    assert model.count_params() == (4 * 6 + 6) + (6 * 5 + 5) + (5 * 3 + 3)


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_activation_is_that_of_the_config(normalization: str) -> None:
    config = model_config("mlp", activation="tanh", normalization=normalization)
    model = build_model(config, (4,), classes(3))
    suffix = "" if normalization == "none" else "_activation"
    for number in (1, 2):
        assert model.get_layer(f"dense_{number}{suffix}").activation.__name__ == "tanh"


def test_dropout_follows_every_hidden_layer() -> None:
    model = build_model(model_config("mlp", dropout=0.5), (4,), classes(3))
    names = [layer.name for layer in model.layers]
    assert names == ["input", "dense_1", "dense_1_dropout", "dense_2", "dense_2_dropout", "logits"]
