"""A model written in the form from which a good `.tflite` can be made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.bridge.bridge_layer import LayerSpec
from pipeline.bridge.conversion_forms import forms_for_conversion
from pipeline.tflite.saved_model import Names, save_keras_model

if TYPE_CHECKING:
    import keras
    import tf_keras


def save_for_conversion(model: keras.Model, directory: Path, batch_size: int = 1) -> None:
    """Writes a Keras 3 model as a SavedModel from which a good `.tflite` can be made.

    Args:
        model: functional or Sequential, built.
        directory: made by this call, or overwritten.
        batch_size: samples per call, ≥ 1.
    """
    with forms_for_conversion([model]):
        save_keras_model(model, directory, batch_size)


def save_crossed_for_conversion(
    model: tf_keras.Model, directory: Path, batch_size: int, names: Names
) -> None:
    """Writes a tf_keras model that came over the bridge; see `save_for_conversion`.

    Args:
        model: afterwards only fit for inference.
        directory: made by this call, or overwritten.
        batch_size: samples per call, ≥ 1.
        names: of the Keras 3 model's inputs and outputs.
    """
    fuse_recurrent_layers(model)
    parts = list(model._flatten_layers())
    specs = [layer.spec for layer in parts if hasattr(layer, "spec")]
    parts += [spec.layer if isinstance(spec, LayerSpec) else spec.operation for spec in specs]
    with forms_for_conversion(parts):
        save_keras_model(model, directory, batch_size, names)


def fuse_recurrent_layers(model: Any) -> None:
    """Sets the recurrent layers of a tf_keras model to compute as the converter needs it.

    LSTM: the standard function, which the converter replaces by its operator; a layer with
    recurrent dropout, which only training has, would compute step by step instead. Others, and
    those that read a mask: unrolled, because int8 on a loop crashes the converter.

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
    plain = activations == ("tanh", "sigmoid") and layer.use_bias and not layer.unroll
    return plain and not _reads_a_mask(layer)


def _reads_a_mask(layer: Any) -> bool:
    import tensorflow as tf

    inputs = [tensor for node in layer._inbound_nodes for tensor in tf.nest.flatten(node.call_args)]
    return any(getattr(tensor, "_keras_mask", None) is not None for tensor in inputs)
