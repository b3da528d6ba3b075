"""A Keras 3 layer as the tf_keras layer that means the same, by the rows of LAYERS.

A config key that no row names is not guessed: a setting that is silently lost gives another
model. Initializers are dropped, since the weights are copied.
"""

from __future__ import annotations

from typing import Any

from pipeline.bridge.activations import activation_objects, carry_activation
from pipeline.bridge.layers_table import LAYERS, NoCounterpart, Row
from pipeline.errors import ConfigError

_IN_EVERY_CONFIG = ("name", "trainable", "dtype", "batch_shape")
REGULARIZERS = frozenset({"L1", "L2", "L1L2"})
CONSTRAINTS = frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"})


def carry_over(layer: Any, name: str, seed: int) -> Any:
    """Makes the tf_keras layer that means the same as a Keras 3 layer, without its weights.

    Args:
        layer: a Keras 3 layer.
        name: the new layer's name.
        seed: for a layer that draws random numbers, ≥ 0.

    Returns:
        A tf_keras layer, not built.

    Raises:
        NoCounterpart: tf_keras lacks the class or one of its settings.
    """
    from pipeline.bridge.start import import_tf_keras

    row = row_of(layer)
    arguments: dict[str, Any] = {"name": name, "trainable": layer.trainable}
    for key, value in layer.get_config().items():
        if key in row.kept:
            arguments[key] = _carry_value(layer, key, value)
        elif key in row.renamed:
            arguments[row.renamed[key]] = value
        else:
            _check_dropped(key, value, row)
    if row.random:
        arguments["seed"] = seed
    if row.from_layer is not None:
        arguments |= row.from_layer(layer)
    for attribute, argument in row.wrapped.items():
        inside = getattr(layer, attribute)
        _check_wrapped(layer, inside)
        arguments[argument] = carry_over(inside, inside.name, seed)
    keras_2 = import_tf_keras()
    with keras_2.utils.custom_object_scope(activation_objects()):  # Bidirectional copies by config
        return getattr(keras_2.layers, type(layer).__name__)(**arguments)


def _check_wrapped(layer: Any, inside: Any) -> None:
    if inside.non_trainable_variables and type(layer).__name__ == "TimeDistributed":
        raise NoCounterpart(
            f"TimeDistributed({type(inside).__name__}) changes its state once a step in Keras 3, "
            "once a call in tf_keras"
        )


def row_of(layer: Any) -> Row:
    """Returns the table's row for a Keras 3 layer; NoCounterpart where there is none."""
    module, class_name = type(layer).__module__, type(layer).__name__
    if not module.startswith("keras.src.") or class_name not in LAYERS:
        full_name = class_name if module.startswith("keras.src.") else f"{module}.{class_name}"
        raise NoCounterpart(f"no tf_keras layer stands for {full_name}")
    return LAYERS[class_name]


def _carry_value(layer: Any, key: str, value: Any) -> Any:
    if key.endswith("activation"):
        return carry_activation(getattr(layer, key))
    if key.endswith("_regularizer"):
        return _carry_object(key, value, REGULARIZERS)
    if key.endswith("_constraint"):
        return _carry_object(key, value, CONSTRAINTS)
    return value


def _carry_object(key: str, value: Any, known: frozenset[str]) -> Any:
    """Turns a serialized regularizer or constraint into tf_keras's of the same class."""
    if value is None:
        return None
    from pipeline.bridge.start import import_tf_keras

    tf_keras = import_tf_keras()
    class_name = value["class_name"] if isinstance(value, dict) else str(value)
    if class_name not in known:
        raise NoCounterpart(f"{key} {class_name}")
    module = tf_keras.regularizers if key.endswith("_regularizer") else tf_keras.constraints
    return getattr(module, class_name)(**value["config"])


def _check_dropped(key: str, value: Any, row: Row) -> None:
    if key.endswith("_initializer") or key in row.ignored or key in _IN_EVERY_CONFIG:
        return
    only = {**row.only, "activity_regularizer": None}
    if key not in only:
        raise NoCounterpart(f"setting '{key}' = {value!r} is not known")
    if value != only[key]:
        raise NoCounterpart(f"setting '{key}' = {value!r}, expected {only[key]!r}")


def check_precision(layer: Any, name: str) -> None:
    """Raises ConfigError for a layer of which a part computes in another float than float32."""
    for part in layer._flatten_layers():
        dtype = getattr(part.dtype_policy, "compute_dtype", None)
        if dtype in ("float16", "bfloat16", "float64"):
            raise ConfigError(
                f"layer '{name}' computes in {dtype}; prune and qat need float32: "
                "rebuild the model with dtype float32"
            )
