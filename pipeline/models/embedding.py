"""The first layer of every architecture that reads token ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import keras

    from pipeline.config.text_models import TextCnnModel, TextLstmModel


def embedding(
    x: keras.KerasTensor, config: TextCnnModel | TextLstmModel, tokens: int | None
) -> keras.KerasTensor:
    """Looks up a vector for each token; padding (0) has one of its own, learned like the others.

    There is no mask: TFLite has none, and a layer that skips padded steps in training but not in
    the file would answer differently.

    Args:
        x: int32 (batch, length).
        config: the architecture's options.
        tokens: number of different ids in the data; None where it is not known.

    Returns:
        (batch, length, config.embedding), with spatial dropout.

    Raises:
        ConfigError: the number of tokens is not known, or above model.tokens.
    """
    import keras

    rows = tokens if config.tokens is None else config.tokens
    if rows is None:
        raise ConfigError(
            "model.tokens: the data are token ids without a vocabulary; give their number, the "
            "largest id + 1"
        )
    if tokens is not None and rows < tokens:
        raise ConfigError(f"model.tokens is {rows}, the data have {tokens} token ids; raise it")
    x = keras.layers.Embedding(rows, config.embedding, name="embedding")(x)
    if config.spatial_dropout > 0:
        rate = config.spatial_dropout
        x = keras.layers.SpatialDropout1D(rate, name="embedding_spatial_dropout")(x)
    return x
