"""Convolutional text classifier.

Kim, "Convolutional Neural Networks for Sentence Classification", EMNLP 2014: convolutions of
several widths side by side, the maximum over time of each filter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.models import layers

if TYPE_CHECKING:
    import keras

    from pipeline.config.text_models import TextCnnModel


def text_cnn(x: keras.KerasTensor, config: TextCnnModel, outputs: int) -> keras.KerasTensor:
    """Connects the network behind the embedding; dropout acts on the dense layer.

    Args:
        x: (batch, length, embedding).
        config: filters and kernel_sizes of the convolutions, units of the dense layer.
        outputs: numbers per sample.

    Returns:
        Linear outputs (batch, outputs).
    """
    import keras

    found = []
    for size in config.kernel_sizes:
        convolution = keras.layers.Conv1D(
            config.filters,
            size,
            padding="same",
            activation="relu",
            kernel_initializer=config.initializer,
            kernel_regularizer=layers.regularizer(config),
            name=f"conv_{size}",
        )
        found.append(keras.layers.GlobalMaxPooling1D(name=f"pool_{size}")(convolution(x)))
    x = keras.layers.Concatenate(name="pooled")(found) if len(found) > 1 else found[0]
    x = keras.layers.Dense(
        config.units,
        activation="relu",
        kernel_initializer=config.initializer,
        kernel_regularizer=layers.regularizer(config),
        name="dense",
    )(x)
    return layers.logits(layers.dropout(x, config, "dense_dropout"), config, outputs)
