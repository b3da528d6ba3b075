"""Rebuilds a checked config in Keras 3 without allocating what it declares.

A config can declare weights of any size (Dense(10**12)). So the model is first built inside a
graph and a scope in which Keras makes variables without values; the file's arrays are then matched
to them by path and shape, and only variables that have got an array of their own shape get memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import SlimlineError, UntrustedModelError
from pipeline.foreign.limits import MAX_TENSOR_NUMBERS

if TYPE_CHECKING:
    import keras

# id of a variable → its value.
Values = dict[int, np.ndarray]
_SHOWN = 3


def rebuild(
    config: dict[str, Any],
    custom_objects: Mapping[str, Any],
    match: Callable[[keras.Model], Values],
    where: str,
) -> keras.Model:
    """Builds a model and gives it its weights.

    Args:
        config: as the gate wrote it.
        custom_objects: key → the user's own class or function.
        match: finds the values of the model's variables; called while they have none.
        where: the file, for messages.

    Returns:
        The model: built, with weights, not compiled.

    Raises:
        UntrustedModelError: Keras cannot build it, its tensors are too large, or weights lack.
    """
    with _faults_told(where):
        with _variables_without_values() as variables:
            model = _build(config, custom_objects)
            _check_tensors(model, where)
            values = match(model)
            _check_complete(model, values, where)
        _give_values(variables, values)
        _settle_constants(model)
    return model


@contextmanager
def _faults_told(where: str) -> Iterator[None]:
    """Turns whatever the wrong part of a config provokes in Keras into one line."""
    import keras

    try:
        yield
    except SlimlineError:
        raise
    except Exception as error:
        raise UntrustedModelError(
            f"{where}: Keras {keras.__version__} cannot rebuild it ({_one_line(error)}); save it "
            "again with a recent Keras"
        ) from error


def _build(config: dict[str, Any], custom_objects: Mapping[str, Any]) -> keras.Model:
    import keras
    import tensorflow as tf

    # The scope in which configs that state one object twice get one object (keras 3.15.1: not
    # exported, but what keras.saving.load_model itself uses).
    from keras.src.saving.serialization_lib import ObjectSharingScope

    built: list[Any] = []

    def build() -> Any:
        with keras.StatelessScope(initialize_variables=False), ObjectSharingScope():
            built.append(
                keras.saving.deserialize_keras_object(
                    config, custom_objects=dict(custom_objects), safe_mode=True
                )
            )
        return tf.constant(0)

    if custom_objects:
        # The user's own layers may keep tensors that they make when built: those must be real.
        build()
    else:
        # In a graph even what a layer computes at once (Normalization) is never allocated.
        tf.function(build, autograph=False).get_concrete_function()
    model = built[-1]
    if not isinstance(model, keras.Model):
        raise ValueError(f"it is a {type(model).__name__}, no model")
    if not model.built:
        raise ValueError("its input shape is not stated; call it once before it is saved")
    return model


@contextmanager
def _variables_without_values() -> Iterator[list[Any]]:
    """Yields the list in which Keras notes the variables that have no values yet.

    Keras 3.15.1 would give all of them memory at the end of the next StatelessScope of anyone, so
    the list is taken away from it, whatever happens.
    """
    from keras.src.backend.common import global_state

    key = "uninitialized_variables"
    before = global_state.get_global_attribute(key, [])
    mine: list[Any] = []
    global_state.set_global_attribute(key, mine)
    try:
        yield mine
    finally:
        global_state.set_global_attribute(key, before)


def _check_tensors(model: keras.Model, where: str) -> None:
    """Bounds every layer's output for one sample: an UpSampling declares any size."""
    for operation in _operations(model):
        for node in operation._inbound_nodes:
            for tensor in node.output_tensors:
                numbers = math.prod(size for size in tensor.shape if size is not None)
                if numbers > MAX_TENSOR_NUMBERS:
                    raise UntrustedModelError(
                        f"{where}: layer '{operation.name}' makes a tensor of shape "
                        f"{tuple(tensor.shape)}, expected at most {MAX_TENSOR_NUMBERS:,} numbers; "
                        "use smaller sizes"
                    )


def _operations(model: Any) -> Iterator[Any]:
    """Yields the layers and operations of a model and of the models in it."""
    for operation in getattr(model, "operations", model.layers):
        yield operation
        if hasattr(operation, "layers"):
            yield from _operations(operation)


def _check_complete(model: keras.Model, values: Values, where: str) -> None:
    missing = [weight.path for weight in model.weights if id(weight) not in values]
    if missing:
        more = f" (and {len(missing) - _SHOWN} more)" if len(missing) > _SHOWN else ""
        raise UntrustedModelError(
            f"{where}: has no values for {', '.join(missing[:_SHOWN])}{more}; the file is torn, or "
            "its config is of another model: save the model again"
        )


def _give_values(variables: list[Any], values: Values) -> None:
    for variable in variables:
        value = values.get(id(variable))
        if value is not None:
            # `_initializer` is what Keras 3.15.1 calls for a variable of a StatelessScope.
            variable._initializer = _constant(value)
        elif math.prod(variable.shape) > 2:
            continue  # belongs to no layer of the model; what is left are seeds of generators
        variable._deferred_initialize()


def _constant(value: np.ndarray) -> Callable[..., Any]:
    import keras

    return lambda shape, dtype: keras.ops.convert_to_tensor(value, dtype=dtype)


def _settle_constants(model: keras.Model) -> None:
    """Computes anew, outside the graph, the statistics that Normalization keeps beside weights."""
    import keras

    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization):
            layer.build(layer._build_input_shape) if layer.input_mean is not None else (
                layer.finalize_state()
            )


def _one_line(error: BaseException) -> str:
    # Keras repeats the config before it tells what was wrong with it.
    text = str(error).rpartition("Exception encountered: ")[2]
    text = " ".join(text.split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]} …"
