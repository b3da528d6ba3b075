"""A Keras 3 layer that runs as itself in a tf_keras model, where tf_keras has no counterpart.

Keras 3 layers compute on TensorFlow tensors. The tf_keras layer owns the weights; while the
Keras 3 layer runs they stand in for its own variables, so the user's layer is never changed and
tf_keras and tfmot may copy theirs.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.bridge.graph import Call, Ref, fill, numbered_arguments


@dataclass(frozen=True, eq=False)
class LayerSpec:
    """A live Keras 3 layer, why it runs as itself, and how the graph calls it.

    It travels inside a tf_keras config. tfmot copies configs deeply, and the copy must stay
    the same live layer.

    Attributes:
        layer: a built Keras 3 layer.
        reason: what tf_keras lacks.
        calls: by the tensors that a call makes: its number.
        arguments: of each call (args, kwargs); tensors are stood for by their position.
    """

    layer: Any
    reason: str
    calls: dict[tuple[Ref, ...], int]
    arguments: tuple[Any, ...]

    def __deepcopy__(self, memo: dict[int, Any]) -> LayerSpec:
        """Returns itself: it is not changed."""
        return self


def run_as_itself(calls: Sequence[Call], reason: str, seed: int) -> Any:
    """Makes the tf_keras layer that runs a Keras 3 layer.

    Args:
        calls: all calls of the layer in the graph.
        reason: why it has no counterpart in tf_keras.
        seed: of what the layer draws in training, ≥ 0.

    Returns:
        A tf_keras layer with the layer's variables, which hold zeros; called on the list of a
        call's inputs (on the tensor if it is one), with the call's number.
    """
    spec = LayerSpec(
        calls[0].layer,
        reason,
        {call.outputs: number for number, call in enumerate(calls)},
        tuple(numbered_arguments(call) for call in calls),
    )
    return bridge_layer()(spec, seed, name=calls[0].name, trainable=spec.layer.trainable)


def named_weights(layer: Any) -> dict[str, Any]:
    """Returns the weights of a Keras 3 layer by names that differ within it: "query.kernel"."""
    named: dict[str, Any] = {}
    for weight in layer.weights:
        # A subclassed model that was built by its file has no path of its own.
        prefix = f"{layer.path or layer.name}/"
        name = weight.path.removeprefix(prefix).replace("/", ".")
        repeated = sum(known.split("~")[0] == name for known in named)
        named[f"{name}~{repeated}" if repeated else name] = weight
    return named


def _seed_states(layer: Any) -> list[Any]:
    """Finds the states of the generators that a layer draws from."""
    found = [v for v in layer.variables if v.path.endswith("seed_generator_state")]
    if not type(layer).__module__.startswith("keras.src."):
        # What is drawn without a seed comes from a generator that all layers share.
        from keras.src.random.seed_generator import global_seed_generator

        found.append(global_seed_generator().state)
    return found


class _Hidden:
    """Holds variables where tf_keras does not look for weights."""

    def __init__(self, variables: list[Any]) -> None:
        self.variables = variables


@functools.cache
def bridge_layer() -> type[Any]:
    """Returns the class BridgeLayer, a tf_keras layer that runs a Keras 3 layer."""
    import keras
    import tensorflow as tf

    from pipeline.bridge.start import import_tf_keras

    class BridgeLayer(import_tf_keras().layers.Layer):  # type: ignore[misc]
        """Calls the Keras 3 layer with the inputs in their places and its own weights."""

        def __init__(self, spec: LayerSpec, seed: int, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.spec, self.seed = spec, seed
            self.supports_masking = True
            self._compute_output_and_mask_jointly = True
            self.own: dict[str, Any] = {}
            for name, weight in named_weights(spec.layer).items():
                variable = self.add_weight(
                    name, weight.shape, weight.dtype, "zeros", trainable=weight.trainable
                )
                self.own[name] = variable
                if weight.regularizer is not None and weight.trainable:
                    self.add_loss(functools.partial(_penalty, weight.regularizer, variable))
            self._seed_states = _Hidden(_new_states(_seed_states(spec.layer), seed))

        @property
        def seed_states(self) -> list[Any]:
            """The state of each random generator; none is among the weights."""
            return self._seed_states.variables

        def call(
            self, inputs: Any, number: int = 0, mask: Any = None, training: bool = False
        ) -> Any:
            tensors = _with_masks(inputs, mask)
            args, kwargs = fill(self.spec.arguments[number], lambda ref: tensors[ref.number])
            run = tf.autograph.experimental.do_not_convert(self._run)
            outputs, losses = run(args, kwargs, training)
            for loss in losses:
                self.add_loss(loss)
            flat = keras.tree.flatten(outputs)
            return flat if len(flat) > 1 else flat[0]

        def _run(self, args: Any, kwargs: Any, training: bool) -> tuple[Any, list[Any]]:
            layer = self.spec.layer
            own = [*self.own.values(), *self.seed_states]
            theirs = [*named_weights(layer).values(), *_seed_states(layer)]
            values = [tf.convert_to_tensor(variable) for variable in own]
            mapping = list(zip(theirs, values, strict=True))
            with keras.StatelessScope(mapping, collect_losses=True) as scope:
                outputs = layer(*args, training=training, **kwargs)
            for variable, counterpart, before in zip(own, theirs, values, strict=True):
                after = scope.get_current_value(counterpart)
                if after is not before:
                    variable.assign(after)
            return outputs, scope.losses

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "spec": self.spec, "seed": self.seed}

    return BridgeLayer


def is_bridge_layer(layer: Any) -> bool:
    """True for a tf_keras layer that runs a Keras 3 layer as itself."""
    return isinstance(layer, bridge_layer())


def class_of(layer: Any) -> str:
    """Returns the class of a tf_keras layer; of one that runs as itself, its Keras 3 class."""
    return type(layer.spec.layer if is_bridge_layer(layer) else layer).__name__


def _penalty(regularizer: Any, variable: Any) -> Any:
    import tensorflow as tf

    return regularizer(tf.convert_to_tensor(variable))


def _new_states(states: list[Any], seed: int) -> list[Any]:
    """Makes the states that generators of these seeds would begin with."""
    import tensorflow as tf

    seeds = np.random.SeedSequence(seed).generate_state(len(states)) >> 1
    return [
        tf.Variable([int(own), 0], dtype=state.dtype, trainable=False)
        for own, state in zip(seeds, states, strict=True)
    ]


def _with_masks(inputs: Any, mask: Any) -> list[Any]:
    """Puts the masks that tf_keras hands over where Keras 3 looks for them."""
    import tensorflow as tf

    tensors = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    masks = list(mask) if isinstance(mask, list | tuple) else [mask] * len(tensors)
    for index, given in enumerate(masks):
        if given is not None:
            tensors[index] = tf.identity(tensors[index])
            tensors[index]._keras_mask = given
    return tensors
