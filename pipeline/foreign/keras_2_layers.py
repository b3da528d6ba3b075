"""Layer by layer, how a config of Keras 2 reads in Keras 3: one explicit table.

A key that neither Keras 3's class takes nor a row names is refused: a setting that is silently
lost gives another model. Initializers are left out, since the weights are read.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.foreign.classes import ACTIVATIONS
from pipeline.foreign.values import Refusal


@dataclass(frozen=True)
class Row:
    """How one layer class reads.

    Attributes:
        renamed: key of Keras 2 → key of Keras 3.
        only: keys that Keras 3 lacks → the one value under which both behave alike.
        ignored: keys without effect on a model whose weights are read.
        class_name: in Keras 3, if it is another.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Any] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    class_name: str | None = None


# Of every layer: the input's shape is that of the model's input; where random numbers of the
# training come from.
_EVERYWHERE = Row(ignored=("batch_input_shape", "autocast", "rng_type"), only={"dynamic": False})
_RECURRENT = Row(only={"time_major": False, "input_dim": None, "input_length": None},
                 ignored=("implementation",))  # fmt: skip
_TRANSPOSED = Row(only={"groups": 1})
_DEPTHWISE = Row(
    only={"groups": 1},
    ignored=("kernel_initializer", "kernel_regularizer", "kernel_constraint"),
)
_BATCH_NORMALIZATION = Row(
    only={"renorm": False, "virtual_batch_size": None, "adjustment": None},
    ignored=("renorm_clipping", "renorm_momentum", "fused"),
)
_SPATIAL_DROPOUT = Row(only={"noise_shape": None})

ROWS: dict[str, Row] = {
    "BatchNormalization": _BATCH_NORMALIZATION,
    # On one device the same; TensorFlow 1 and 2.0 numbered its versions.
    "SyncBatchNormalization": replace(_BATCH_NORMALIZATION, class_name="BatchNormalization"),
    "BatchNormalizationV1": replace(_BATCH_NORMALIZATION, class_name="BatchNormalization"),
    "BatchNormalizationV2": replace(_BATCH_NORMALIZATION, class_name="BatchNormalization"),
    "Conv1DTranspose": _TRANSPOSED,
    "Conv2DTranspose": _TRANSPOSED,
    "Conv3DTranspose": _TRANSPOSED,
    "DepthwiseConv1D": _DEPTHWISE,
    "DepthwiseConv2D": _DEPTHWISE,
    "SeparableConv1D": _DEPTHWISE,
    "SeparableConv2D": _DEPTHWISE,
    # Keras 2 passes the length on to layers that need it; Keras 3 sees it in the input's shape.
    "Embedding": Row(ignored=("input_length",), only={"sparse": False}),
    "InputLayer": Row(
        renamed={"batch_input_shape": "batch_shape"},
        only={"sparse": False, "ragged": False, "type_spec": None},
    ),
    "LeakyReLU": Row(renamed={"alpha": "negative_slope"}),
    "ThresholdedReLU": Row(renamed={"theta": "threshold"}, class_name="ReLU"),
    "MultiHeadAttention": Row(
        ignored=("query_shape", "key_shape", "value_shape"), only={"softmax_robust_masking": False}
    ),
    "Attention": Row(only={"causal": False}),
    "AdditiveAttention": Row(only={"causal": False}),
    "RNN": _RECURRENT,
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "SimpleRNN": _RECURRENT,
    "LSTMCell": _RECURRENT,
    "GRUCell": _RECURRENT,
    "SimpleRNNCell": _RECURRENT,
    "ConvLSTM1D": _RECURRENT,
    "ConvLSTM2D": _RECURRENT,
    "ConvLSTM3D": _RECURRENT,
    "SpatialDropout1D": _SPATIAL_DROPOUT,
    "SpatialDropout2D": _SPATIAL_DROPOUT,
    "SpatialDropout3D": _SPATIAL_DROPOUT,
}
_PLAIN = Row()
# Keras 2's hard_sigmoid is clip(0.2x + 0.5); by that name Keras 3 means relu6(x + 3) / 6.
_OTHER_FUNCTIONS = frozenset({"hard_sigmoid"})
_FUNCTION_NAMES = {"softmax_v2": "softmax", "swish": "silu"}
_FUNCTION_MODULES = ("builtins", "keras.", "tf_keras.", "tensorflow.")


def translate_layer(class_name: str, config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Translates one layer's class and settings; layers inside it are left as they are.

    Args:
        class_name: in Keras 2; one of the allow-list or of ROWS.
        config: its settings.

    Returns:
        Class and settings in Keras 3.

    Raises:
        Refusal: a setting that Keras 3 lacks and no row allows.
    """
    import keras

    row = ROWS.get(class_name, _PLAIN)
    new_class = row.class_name or class_name
    where = f"layer '{str(config.get('name'))[:200]}' ({class_name})"
    known = _arguments(getattr(keras.layers, new_class))
    translated: dict[str, Any] = {}
    for key, value in config.items():
        if key.endswith("_initializer") or key in row.ignored:
            continue
        if key == "trainable" and key not in known:
            continue  # a layer without weights has nothing to be frozen
        if key in row.renamed:
            translated[row.renamed[key]] = value
        elif key in _EVERYWHERE.ignored:
            continue
        elif key in row.only or (key in _EVERYWHERE.only and key not in known):
            expected = row.only.get(key, _EVERYWHERE.only.get(key))
            if value != expected:
                raise Refusal(
                    f"{where}: '{key}' = {str(value)[:100]} has no counterpart in Keras 3, "
                    f"expected {expected}"
                )
        elif key not in known:
            raise Refusal(
                f"{where}: '{key}' = {str(value)[:100]} of Keras 2 is not known to Keras 3; build "
                "the layer without it"
            )
        else:
            translated[key] = _translate_value(key, value, where)
    return new_class, translated


def translate_activation(value: Any, where: str) -> Any:
    """Translates an activation: a name, or a function that the file states with its module.

    Args:
        value: as in the config; layers are returned as they are.
        where: for the message.

    Raises:
        Refusal: another function by the same name in Keras 3.
    """
    name = value
    if isinstance(value, dict) and value.get("class_name") == "function":
        module = value.get("module")
        if module is None or str(module).startswith(_FUNCTION_MODULES):
            name = value.get("config")
    if not isinstance(name, str):
        return value
    name = _FUNCTION_NAMES.get(name, name)
    if name in _OTHER_FUNCTIONS:
        raise Refusal(
            f"{where}: {name} of Keras 2 is clip(0.2x + 0.5), by that name Keras 3 means another "
            "function; use sigmoid, or relu6(x + 3) / 6, and train again"
        )
    return name if name in ACTIVATIONS else value


def _translate_value(key: str, value: Any, where: str) -> Any:
    if key.endswith("activation"):
        return translate_activation(value, where)
    if key == "axis" and isinstance(value, list) and len(value) == 1:
        return value[0]
    if key == "dtype" and isinstance(value, dict) and isinstance(value.get("config"), dict):
        return value["config"].get("name")
    return value


def _arguments(layer_class: Any) -> set[str]:
    """Returns the settings that a Keras 3 layer takes, and those it hands to its base class."""
    names: set[str] = set()
    for base in layer_class.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()
            names |= {parameter.name for parameter in parameters}
            if not any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters):
                break
    return names - {"self", "args", "kwargs"}
