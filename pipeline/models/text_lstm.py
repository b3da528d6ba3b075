"""Recurrent text classifier: an LSTM or a GRU reads the words, its states decide.

Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997; Cho et al., EMNLP 2014 (GRU);
recurrent dropout: Gal and Ghahramani, NeurIPS 2016.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.text_models import TextLstmModel


def text_lstm(x: keras.KerasTensor, config: TextLstmModel, outputs: int) -> keras.KerasTensor:
    """Connects the network behind the embedding.

    Dropout of the layer's inputs is the embedding's spatial dropout: the same mask for all words,
    as the layer's own argument would have it.

    Args:
        x: (batch, length, embedding).
        config: cell, units, pooling of the states, and what regularizes them; L1 and L2 act on
            both kernels.
        outputs: numbers per sample.

    Returns:
        Linear outputs (batch, outputs).
    """
    import keras

    layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[config.cell]
    x = layer(
        config.units,
        recurrent_dropout=config.recurrent_dropout,
        kernel_initializer=config.initializer,
        kernel_regularizer=layers.regularizer(config),
        recurrent_regularizer=layers.regularizer(config),
        return_sequences=config.pooling != "last",
        name=config.cell,
    )(x)
    if config.pooling == "max":
        x = keras.layers.GlobalMaxPooling1D(name="pool")(x)
    elif config.pooling == "average":
        x = keras.layers.GlobalAveragePooling1D(name="pool")(x)
    return layers.logits(layers.dropout(x, config, f"{config.cell}_dropout"), config, outputs)
