from __future__ import annotations

from pipeline.models.build import build_model
from tests.models.conftest import classes, model_config

# https://github.com/mlcommons/tiny, image_classification/keras_model.py (resnet_v1_eembc)
REFERENCE_PARAMETERS = 78_666
CANCELLED_BIASES = 3 * 16 + 2 * 32 + 2 * 64  # of the normalized convolutions


def test_size_is_the_references_without_the_cancelled_biases() -> None:
    model = build_model(model_config("resnet_8", filters=16), (32, 32, 3), classes(10))
    assert model.count_params() == REFERENCE_PARAMETERS - CANCELLED_BIASES


def test_stacks_halve_and_double() -> None:
    model = build_model(model_config("resnet_8", filters=2), (8, 8, 3), classes(3))
    shapes = [model.get_layer(f"stack_{n}_activation").output.shape[1:] for n in (1, 2, 3)]
    assert shapes == [(8, 8, 2), (4, 4, 4), (2, 2, 8)]


def test_first_shortcut_is_the_identity() -> None:
    model = build_model(model_config("resnet_8"), (8, 8, 3), classes(3))
    names = {layer.name for layer in model.layers}
    assert "stack_1_shortcut" not in names
    assert {"stack_2_shortcut", "stack_3_shortcut"} <= names
    stem, branch = model.get_layer("stack_1_add").input
    assert stem is model.get_layer("stack_0_conv_activation").output
    assert branch is model.get_layer("stack_1_conv_2_normalization").output


def test_dropout_stands_before_the_pooling() -> None:
    model = build_model(model_config("resnet_8", dropout=0.5), (8, 8, 3), classes(3))
    assert [layer.name for layer in model.layers][-3:] == ["stacks_dropout", "pool", "logits"]
