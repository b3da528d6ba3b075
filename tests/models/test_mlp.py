from __future__ import annotations

import pytest

from pipeline.models.build import build_model
from tests.models.conftest import model_config


def test_parameters_by_hand() -> None:
    model = build_model(model_config("mlp", units=(6, 5)), (4,), 3)
    assert model.count_params() == (4 * 6 + 6) + (6 * 5 + 5) + (5 * 3 + 3)


@pytest.mark.parametrize("normalized", [False, True])
def test_activation_is_that_of_the_config(normalized: bool) -> None:
    config = model_config("mlp", activation="tanh", batch_normalization=normalized)
    model = build_model(config, (4,), 3)
    suffix = "_activation" if normalized else ""
    for number in (1, 2):
        assert model.get_layer(f"dense_{number}{suffix}").activation.__name__ == "tanh"


def test_dropout_follows_every_hidden_layer() -> None:
    model = build_model(model_config("mlp", dropout=0.5), (4,), 3)
    names = [layer.name for layer in model.layers]
    assert names == ["input", "dense_1", "dense_1_dropout", "dense_2", "dense_2_dropout", "logits"]
