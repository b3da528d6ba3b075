from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.text_models import TextCnnModel
from pipeline.errors import ConfigError
from pipeline.models.embedding import embedding


def embed(in_data: int | None, /, **options: Any) -> Any:
    import keras

    config = TextCnnModel(architecture="text_cnn", embedding=3, **options)
    inputs = keras.Input((5,), dtype="int32")
    return keras.Model(inputs, embedding(inputs, config, in_data))


def test_rows_are_those_of_the_data_or_of_the_configuration() -> None:
    assert embed(7).count_params() == 7 * 3
    assert embed(7, tokens=9).count_params() == 9 * 3
    assert embed(None, tokens=9).count_params() == 9 * 3


def test_padding_has_a_vector_and_no_mask() -> None:
    layer = embed(7).get_layer("embedding")
    assert layer.mask_zero is False


def test_spatial_dropout_drops_a_number_in_all_tokens() -> None:
    import numpy as np

    model = embed(7, spatial_dropout=0.5)
    model.get_layer("embedding").embeddings.assign(np.ones((7, 3)))
    dropped = np.asarray(model(np.zeros((64, 5), np.int32), training=True))
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert (dropped == dropped[:, :1]).all()


def test_refusals() -> None:
    with pytest.raises(ConfigError, match=r"model.tokens: the data are token ids without"):
        embed(None)
    with pytest.raises(ConfigError, match=r"model.tokens is 5, the data have 7 token ids; raise"):
        embed(7, tokens=5)
