"""Operators and keras.ops in a graph: as a tf_keras layer where one means the same, else as
themselves. Keras 3's operations run on TensorFlow tensors, so a layer can simply call them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.bridge.graph import Call, Ref, numbered_arguments

# Operation → tf_keras layer of two or more tensors; QAT knows the layers, not the operations.
MERGES: dict[str, str] = {
    "Add": "Add",
    "Subtract": "Subtract",
    "Multiply": "Multiply",
    "Maximum": "Maximum",
    "Minimum": "Minimum",
}
ACTIVATIONS: dict[str, str] = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Silu": "swish",
    "Tanh": "tanh",
    "Softplus": "softplus",
    "Softsign": "softsign",
}


@dataclass(frozen=True)
class OperationSpec:
    """An operation and its arguments; tensors are stood for by their position in the inputs.

    It travels inside a tf_keras config. tfmot copies configs deeply, and the copy must stay
    the same live operation.
    """

    operation: Any
    args: Any
    kwargs: Any

    def __deepcopy__(self, memo: dict[int, Any]) -> OperationSpec:
        """Returns itself: it is immutable."""
        return self


def carry_operation(
    call: Call, shapes: dict[Ref, tuple[int | None, ...]], masked: bool = False
) -> Any:
    """Makes the tf_keras layer for a call of an operation.

    Args:
        call: a call whose layer is a Keras 3 Operation but no Layer.
        shapes: the graph's shapes.
        masked: whether an input carries a mask. An operation drops it, a layer would not.

    Returns:
        A tf_keras layer to be called on the list of call.inputs (on the tensor if it is one).
    """
    layer = None if masked else _as_layer(call, shapes)
    if layer is not None:
        return layer
    args, kwargs = numbered_arguments(call)
    return operation_layer()(OperationSpec(call.layer, args, kwargs), name=call.name)


def _as_layer(call: Call, shapes: dict[Ref, tuple[int | None, ...]]) -> Any | None:
    """Returns the tf_keras layer that means the same, None if there is none."""
    from pipeline.bridge.start import import_tf_keras

    layers = import_tf_keras().layers
    operation, kind = call.layer, type(call.layer).__name__
    if not type(operation).__module__.startswith("keras.src.ops."):
        return None
    plain = not call.kwargs and all(isinstance(arg, Ref) for arg in call.args)
    if kind in MERGES and plain and len(call.args) == 2:
        first, second = (shapes[ref] for ref in call.args)
        # The merging layers broadcast like NumPy only between tensors of one rank.
        if len(first) == len(second) > 1 and first[0] is None and second[0] is None:
            return getattr(layers, MERGES[kind])(name=call.name)
    if kind in ACTIVATIONS and plain:
        return layers.Activation(ACTIVATIONS[kind], name=call.name)
    if kind == "Relu6" and plain:
        return layers.ReLU(6.0, name=call.name)
    if kind == "LeakyRelu" and plain:
        return layers.LeakyReLU(operation.negative_slope, name=call.name)
    if kind == "Softmax" and plain and operation.axis is not None:
        return layers.Softmax(operation.axis, name=call.name)
    if kind == "Concatenate" and len(call.inputs) > 1 and operation.axis not in (0, None):
        return layers.Concatenate(operation.axis, name=call.name)
    return None


@functools.cache
def operation_layer() -> Callable[..., Any]:
    """Returns the class BridgeOperation, a tf_keras layer that runs a Keras 3 operation."""
    from pipeline.bridge.graph import fill
    from pipeline.bridge.start import import_tf_keras

    class BridgeOperation(import_tf_keras().layers.Layer):  # type: ignore[misc]
        """Calls the operation with the layer's inputs in their places."""

        def __init__(self, spec: OperationSpec, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.spec = spec

        def call(self, inputs: Any) -> Any:
            tensors = inputs if isinstance(inputs, list | tuple) else [inputs]
            args, kwargs = fill((self.spec.args, self.spec.kwargs), lambda ref: tensors[ref.number])
            return self.spec.operation.call(*args, **kwargs)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "spec": self.spec}

    return BridgeOperation
