"""The form of a model that the converter takes best: layers that read in order, by tf_keras.

Measured on Embedding(2000, 16) → LSTM(32) → Dense(1), 30 words (tensorflow 2.21.0, keras 3.15.1,
tf_keras 2.21.0, int8 of the same weights; difference is the mean over the outputs' spread):

    Keras 3, WHILE loop     int8: the converter crashes             float 162,772 bytes
    Keras 3, unrolled       int8: 179,544 bytes, difference 5.0 %   float 231,100 bytes
    tf_keras, batch 1       int8:  43,160 bytes, difference 2.1 %   float 156,564 bytes

An LSTM of tf_keras becomes one operator, UNIDIRECTIONAL_SEQUENCE_LSTM, which TFLite Micro has as
well. A GRU has no such operator and is unrolled. An Embedding of Keras 3 wraps negative ids by
LESS and SELECT, which TFLite Micro lacks; that of tf_keras is a bare GATHER.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.bridge.crossing import to_tf_keras
from pipeline.errors import ConfigError
from pipeline.tflite.saved_model import own_names, save_keras_model

if TYPE_CHECKING:
    import keras

CONVERTED_BY_TF_KERAS = frozenset({"Embedding", "LSTM", "GRU", "SimpleRNN"})


def save_for_conversion(model: keras.Model, directory: Path, batch_size: int = 1) -> None:
    """Writes a Keras 3 model as a SavedModel from which a good `.tflite` can be made.

    Args:
        model: functional or Sequential, built.
        directory: made by this call, or overwritten.
        batch_size: samples per call, ≥ 1.
    """
    names = {type(layer).__name__ for layer in model._flatten_layers()}
    if not names & CONVERTED_BY_TF_KERAS:
        save_keras_model(model, directory, batch_size)
        return
    try:
        crossed = to_tf_keras(model)
    except ConfigError:
        # A layer that tf_keras lacks. The float file works; for int8 the converter says what not.
        save_keras_model(model, directory, batch_size)
        return
    fuse_recurrent_layers(crossed)
    save_keras_model(crossed, directory, batch_size, own_names(model))


def fuse_recurrent_layers(model: Any) -> None:
    """Sets the recurrent layers of a tf_keras model to compute as the converter needs it.

    LSTM: the standard function, which the converter replaces by its operator; a layer with
    recurrent dropout, which only training has, would compute step by step instead. Others:
    unrolled, because int8 on a loop crashes the converter.

    Args:
        model: changed in place; only fit for inference afterwards.
    """
    for layer in model._flatten_layers():
        if type(layer).__name__ == "LSTM" and _is_standard(layer):
            layer._could_use_gpu_kernel = True
        elif type(layer).__name__ in ("LSTM", "GRU", "SimpleRNN"):
            layer._could_use_gpu_kernel = False
            layer.unroll = True


def _is_standard(layer: Any) -> bool:
    """True for what UNIDIRECTIONAL_SEQUENCE_LSTM computes."""
    activations = (layer.activation.__name__, layer.recurrent_activation.__name__)
    return activations == ("tanh", "sigmoid") and layer.use_bias and not layer.unroll
