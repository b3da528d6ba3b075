from __future__ import annotations

from pipeline.models.build import build_model
from tests.models.conftest import classes, model_config


def test_parameters_by_hand() -> None:
    model = build_model(model_config("small_cnn", filters=(3, 4), units=5), (8, 8, 1), classes(3))
    convolutions = (9 * 1 * 3 + 3) + (9 * 3 * 4 + 4)
    # 8×8 halved twice is 2×2 with 4 channels
    assert model.count_params() == convolutions + (16 * 5 + 5) + (5 * 3 + 3)


def test_layers_in_order() -> None:
    model = build_model(model_config("small_cnn", filters=(3,), dropout=0.5), (8, 8, 1), classes(3))
    assert [layer.name for layer in model.layers] == [
        "input", "conv_1", "pool_1", "pool_1_dropout", "flatten", "dense_1", "dense_1_dropout",
        "logits",
    ]  # fmt: skip
