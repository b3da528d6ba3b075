from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.models.build import build_model
from pipeline.tasks.task import Task
from tests.models.conftest import model_config


def build(shape: tuple[int, ...], **options: Any) -> Any:
    config = model_config("autoencoder", **{"filters": (), "units": (), **options})
    return build_model(config, shape, Task("reconstruction", math.prod(shape)))


def names(model: Any) -> list[str]:
    return [layer.name for layer in model.layers]


def test_dense_layers_are_mirrored() -> None:
    model = build((6,), units=(5, 4), bottleneck=2)
    widths = [layer.units for layer in model.layers[1:]]
    assert widths == [5, 4, 2, 4, 5, 6]
    assert names(model)[1:] == [
        "encoder_dense_1", "encoder_dense_2", "code", "decoder_dense_1", "decoder_dense_2",
        "output",
    ]  # fmt: skip
    assert model.count_params() == (6 * 5 + 5) + (5 * 4 + 4) + (4 * 2 + 2) + (2 * 4 + 4) + (
        4 * 5 + 5
    ) + (5 * 6 + 6)


@pytest.mark.parametrize("shape", [(6,), (2, 3), (4, 4, 1)])
@pytest.mark.parametrize("options", [{}, {"units": (5,)}])
def test_output_has_the_shape_of_the_input(shape: tuple[int, ...], options: dict[str, Any]) -> None:
    model = build(shape, **options)
    assert model.output_shape == (None, *shape)
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    assert model(x).shape == x.shape


@pytest.mark.parametrize("side", [(8, 8), (7, 5), (1, 1), (28, 28)])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_any_size_come_back(side: tuple[int, int], channels: int) -> None:
    model = build((*side, channels), filters=(3, 4, 5), bottleneck=2)
    assert model.output_shape == (None, *side, channels)
    halves = [math.ceil(side[0] / 2**k) for k in (1, 2, 3)]
    encoder = [model.get_layer(f"encoder_conv_{k}").output.shape for k in (1, 2, 3)]
    assert [shape[1] for shape in encoder] == halves
    assert [shape[3] for shape in encoder] == [3, 4, 5]
    assert [model.get_layer(f"decoder_conv_{k}").filters for k in (1, 2)] == [4, 3]


def test_code_and_output_are_linear() -> None:
    model = build((8, 8, 1), filters=(3,), activation="tanh", normalization="batch")
    for name in ("code", "output"):
        assert model.get_layer(name).activation.__name__ == "linear"
        assert f"{name}_normalization" not in names(model)
    assert model.get_layer("encoder_conv_1_activation").activation.__name__ == "tanh"


def test_dropouts_stand_where_they_are_said_to() -> None:
    model = build((8, 8, 1), filters=(3, 4), units=(5,), dropout=0.5, spatial_dropout=0.25)
    dropped = [name for name in names(model) if name.endswith("dropout")]
    assert dropped == [
        "encoder_conv_1_spatial_dropout", "encoder_conv_2_spatial_dropout",
        "encoder_dense_1_dropout", "decoder_dense_1_dropout", "decoder_conv_1_spatial_dropout",
    ]  # fmt: skip


def test_filters_need_images() -> None:
    with pytest.raises(ConfigError, match=r"needs images.*use units in place of filters"):
        build((6,), filters=(3,))
