"""Layers of a Keras 3 model in the form that the converter takes best, while it is saved.

Measured on Embedding(2000, 16) → LSTM(32) → Dense(1), 30 words (tensorflow 2.21.0, keras 3.15.1,
tf_keras 2.21.0, int8 of the same weights; difference is the mean over the outputs' spread):

    as it is, a WHILE loop     int8: the converter crashes             float 162,772 bytes
    unrolled                   int8: 179,544 bytes, difference 5.0 %   float 231,100 bytes
    the LSTM of tf_keras       int8:  43,160 bytes, difference 2.1 %   float 156,564 bytes

The function behind an LSTM of tf_keras becomes one operator, UNIDIRECTIONAL_SEQUENCE_LSTM, which
TFLite Micro has as well. All other recurrent layers are unrolled: int8 on a loop crashes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pipeline.bridge.start import import_tf_keras

Form = Callable[[Any], Callable[..., Any]]


@contextmanager
def forms_for_conversion(layers: Iterable[Any]) -> Iterator[None]:
    """Has layers compute in these forms within a `with` block; for functions traced there.

    Args:
        layers: of Keras 3, built, or a whole model; what is inside them (nested models, wrapped
            layers) takes its form too. Afterwards they are as they were. Operations pass.
    """
    import keras

    found = [layer for layer in layers if isinstance(layer, keras.layers.Layer)]
    unique = {id(layer): layer for each in found for layer in each._flatten_layers()}
    with ExitStack() as undo:
        for layer in unique.values():
            if isinstance(layer, keras.layers.RNN):
                _set(undo, layer, "unroll", True)
                if hasattr(layer, "use_cudnn"):
                    # Bidirectional would go by a way of its own.
                    _set(undo, layer, "use_cudnn", False)
            form = FORMS.get(type(layer).__name__)
            if form is not None and type(layer).__module__.startswith("keras.src."):
                # Past Keras's own bookkeeping of attributes: nothing of it is to be saved.
                object.__setattr__(layer, "call", form(layer))
                undo.callback(object.__delattr__, layer, "call")
        yield


def _set(undo: ExitStack, layer: Any, name: str, value: Any) -> None:
    undo.callback(setattr, layer, name, getattr(layer, name))
    setattr(layer, name, value)


def _lstm(layer: Any) -> Callable[..., Any]:
    """One operator, where the layer is what UNIDIRECTIONAL_SEQUENCE_LSTM computes."""
    import keras
    import tensorflow as tf

    import_tf_keras()
    # The public layer hides the function behind its own weights; these are the Keras 3 layer's.
    fused = importlib.import_module("tf_keras.src.layers.rnn.lstm").lstm_with_backend_selection
    cell, unrolled = layer.cell, layer.call
    is_standard = (
        cell.activation is keras.activations.tanh
        and cell.recurrent_activation is keras.activations.sigmoid
        and cell.use_bias
        and not layer.stateful
    )

    def call(
        sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        if not is_standard or mask is not None or initial_state is not None:
            return unrolled(sequences, initial_state=initial_state, mask=mask, training=training)
        inputs = tf.convert_to_tensor(sequences)
        zeros = tf.zeros((inputs.shape[0], layer.units))
        last, outputs, hidden, carry, _ = fused(
            inputs=inputs,
            init_h=zeros,
            init_c=zeros,
            kernel=tf.convert_to_tensor(cell.kernel),
            recurrent_kernel=tf.convert_to_tensor(cell.recurrent_kernel),
            bias=tf.convert_to_tensor(cell.bias),
            mask=None,
            time_major=False,
            go_backwards=layer.go_backwards,
            sequence_lengths=None,
            return_sequences=layer.return_sequences,
            zero_output_for_mask=False,
        )
        result = outputs if layer.return_sequences else last
        return [result, hidden, carry] if layer.return_state else result

    return call


def _embedding(layer: Any) -> Callable[..., Any]:
    """A bare GATHER: Keras 3 wraps negative ids by LESS and SELECT, which TFLite Micro lacks."""
    import tensorflow as tf

    if layer.quantization_mode is not None:
        return layer.call

    def call(inputs: Any) -> Any:
        rows = tf.gather(tf.convert_to_tensor(layer.embeddings), tf.cast(inputs, tf.int32))
        return tf.cast(rows, layer.compute_dtype)

    return call


def _time_distributed(layer: Any) -> Callable[..., Any]:
    """A dense layer takes all steps at once; Keras 3 slices them apart and packs them again."""
    from keras import layers

    each_step, inner = layer.call, layer.layer
    if type(inner) not in (layers.Dense, layers.Activation, layers.ReLU, layers.Dropout):
        return each_step

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        return inner(inputs)

    return call


# Class name → the call in its stead.
FORMS: dict[str, Form] = {
    "Embedding": _embedding,
    "LSTM": _lstm,
    "TimeDistributed": _time_distributed,
}
