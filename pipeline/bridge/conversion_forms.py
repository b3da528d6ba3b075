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

import functools
import importlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pipeline.bridge.integer_forms import ACTIVATION_FORMS, OPERATION_FORMS, elu, standardize
from pipeline.bridge.start import import_tf_keras

Form = Callable[[Any], Callable[..., Any]]


@contextmanager
def forms_for_conversion(parts: Iterable[Any]) -> Iterator[None]:
    """Has layers compute in these forms within a `with` block; for functions traced there.

    Args:
        parts: layers or operations of Keras 3, built, or a whole model; what is inside them
            (nested models, wrapped layers) takes its form too. Layers of tf_keras take those of
            activations. Afterwards they are as they were.
    """
    import keras

    with ExitStack() as undo:
        for part in _everything_in(parts):
            if isinstance(part, keras.layers.RNN):
                _set(undo, part, "unroll", True)
                if hasattr(part, "use_cudnn"):
                    # Bidirectional would go by a way of its own.
                    _set(undo, part, "use_cudnn", False)
            activation = _form_of_function(getattr(part, "activation", None))
            if activation is not None:
                _set(undo, part, "activation", activation)
            form = _form_of_part(part)
            if form is not None:
                # Past Keras's own bookkeeping of attributes: nothing of it is to be saved.
                object.__setattr__(part, "call", form(part))
                undo.callback(object.__delattr__, part, "call")
        yield


def _everything_in(parts: Iterable[Any]) -> Iterator[Any]:
    """Yields layers and operations, each once."""
    import keras

    known: dict[int, Any] = {}
    for part in parts:
        inside = part._flatten_layers() if isinstance(part, keras.layers.Layer) else [part]
        for layer in inside:
            for each in (layer, *getattr(layer, "operations", ())):
                known[id(each)] = each
    yield from known.values()


def _form_of_part(part: Any) -> Form | None:
    name, module = type(part).__name__, type(part).__module__
    is_own = module.startswith("keras.src.")
    is_like_it = module.startswith("tf_keras.src.") and name in _ALIKE_IN_TF_KERAS
    return FORMS.get(name) if is_own or is_like_it else None


def _form_of_function(function: Any) -> Callable[..., Any] | None:
    name, module = getattr(function, "__name__", ""), getattr(function, "__module__", "")
    if module.startswith(("keras.src.activations", "tf_keras.src.activations")):
        return ACTIVATION_FORMS.get(name)
    # What the bridge makes of a function that tf_keras lacks.
    known = ACTIVATION_FORMS.get(name.removeprefix("keras_3_"))
    return known if name.startswith("keras_3_") else None


def _set(undo: ExitStack, layer: Any, name: str, value: Any) -> None:
    undo.callback(setattr, layer, name, getattr(layer, name))
    setattr(layer, name, value)


def _operation(operation: Any) -> Callable[..., Any]:
    function = OPERATION_FORMS[type(operation).__name__]
    alpha = getattr(operation, "alpha", None)
    return function if alpha is None else functools.partial(function, alpha=alpha)


def _elu_layer(layer: Any) -> Callable[..., Any]:
    return functools.partial(elu, alpha=layer.alpha)


def _prelu(layer: Any) -> Callable[..., Any]:
    """Keras 3 negates twice; NEG has no integer kernel."""
    from keras import ops

    def call(inputs: Any) -> Any:
        positive = ops.relu(inputs)
        return positive + layer.alpha * (inputs - positive)

    return call


def _layer_normalization(layer: Any) -> Callable[..., Any]:
    if layer.rms_scaling or layer.compute_dtype != "float32":
        return layer.call

    def call(inputs: Any) -> Any:
        axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
        return _scale_and_shift(layer, standardize(inputs, axes, layer.epsilon), axes)

    return call


def _group_normalization(layer: Any) -> Callable[..., Any]:
    from keras import ops

    if layer.compute_dtype != "float32":
        return layer.call

    def call(inputs: Any) -> Any:
        shape, axis = tuple(inputs.shape), layer.axis % len(inputs.shape)
        size = shape[axis] // layer.groups
        grouped = ops.reshape(inputs, (*shape[:axis], layer.groups, size, *shape[axis + 1 :]))
        axes = [place for place in range(1, len(shape) + 1) if place != axis]
        outputs = ops.reshape(standardize(grouped, axes, layer.epsilon), shape)
        return _scale_and_shift(layer, outputs, [axis])

    return call


def _scale_and_shift(layer: Any, outputs: Any, axes: list[int]) -> Any:
    """gamma · outputs + beta, as far as the layer has them; both are laid along `axes`."""
    from keras import ops

    rank = len(outputs.shape)
    places = {axis % rank for axis in axes}
    shape = [outputs.shape[place] if place in places else 1 for place in range(rank)]
    if layer.gamma is not None:
        outputs = outputs * ops.reshape(layer.gamma, shape)
    if layer.beta is not None:
        outputs = outputs + ops.reshape(layer.beta, shape)
    return outputs


def _rms_normalization(layer: Any) -> Callable[..., Any]:
    if layer.compute_dtype != "float32":
        return layer.call

    def call(x: Any) -> Any:
        return standardize(x, layer.axis, layer.epsilon, subtract_mean=False) * layer.scale

    return call


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


_ALIKE_IN_TF_KERAS = frozenset({"ELU", "GroupNormalization", "PReLU"})
# Class name → the call in its stead.
FORMS: dict[str, Form] = {
    "ELU": _elu_layer,
    "Embedding": _embedding,
    "GroupNormalization": _group_normalization,
    "LayerNormalization": _layer_normalization,
    "LSTM": _lstm,
    "PReLU": _prelu,
    "RMSNormalization": _rms_normalization,
    "TimeDistributed": _time_distributed,
    **dict.fromkeys(OPERATION_FORMS, _operation),
}
