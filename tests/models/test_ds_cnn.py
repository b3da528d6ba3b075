from __future__ import annotations

from pipeline.models.build import build_model
from tests.models.conftest import classes, model_config


def test_parameters_by_hand() -> None:
    config = model_config("ds_cnn", filters=64, blocks=4)
    model = build_model(config, (49, 10, 1), classes(12))
    normalization = 4 * 64
    first = 9 * 64 + normalization
    block = (9 * 64 + normalization) + (64 * 64 + normalization)
    assert model.count_params() == first + 4 * block + (64 * 12 + 12)


def test_first_convolution_halves_the_image() -> None:
    model = build_model(model_config("ds_cnn"), (8, 8, 1), classes(3))
    assert model.get_layer("conv_1").output.shape == (None, 4, 4, 4)
    assert model.get_layer("pool").input.shape == (None, 4, 4, 4)


def test_dropout_stands_after_the_first_convolution_and_before_the_pooling() -> None:
    model = build_model(model_config("ds_cnn", dropout=0.5), (8, 8, 1), classes(3))
    names = [layer.name for layer in model.layers]
    assert names[names.index("conv_1_activation") + 1] == "conv_1_dropout"
    assert names[-3:] == ["blocks_dropout", "pool", "logits"]
