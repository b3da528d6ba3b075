"""The proof of a crossing: on real signal each layer gives the same on the same inputs, and the
whole models agree, and would not agree if two filters were swapped.

Layers are compared one by one because rounding grows with depth: two right MobileNetV2s differ
by 2e-4 of the spread at their end, a wrong epsilon in one layer by less.

Random weights prove nothing by themselves: behind BatchNormalization with fresh statistics the
signal dies and wrong models "agree". Fresh statistics are therefore set from the samples while
the proof runs, and put back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.crossing import call_layer
from pipeline.bridge.graph import Graph, walk
from pipeline.bridge.signal import real_signal
from pipeline.bridge.state import last_name
from pipeline.errors import PromiseError

if TYPE_CHECKING:
    import keras
    import tf_keras

PROOF_SAMPLES = 64
# All tensors of a graph are held at once; VGG16 at 224×224 has 60 MB of them per sample.
TENSOR_BYTES = 1_000_000_000
# Of a whole model's outputs: rounding of 1e-7 grew to 1e-3 in EfficientNetB0's 240 layers, and
# a graph that is wired wrongly differs by about 1.
OUTPUT_TOLERANCE = 1e-2


@dataclass(frozen=True)
class CrossingProof:
    """What was compared.

    Attributes:
        layers: number of layers and operations whose outputs were compared.
        max_relative_difference: largest |difference| / spread over the samples of any layer.
    """

    layers: int
    max_relative_difference: float

    def metrics(self) -> dict[str, float]:
        """Returns what a stage's manifest keeps."""
        return {"layers": self.layers, "max_relative_difference": self.max_relative_difference}


def prove_crossing(
    model: keras.Model,
    crossed: tf_keras.Model,
    samples: np.ndarray | Sequence[np.ndarray],
    tolerance: float = 1e-4,
) -> CrossingProof:
    """Compares the outputs and every layer's output of both models on the same samples.

    Args:
        model: the Keras 3 model; unchanged on return.
        crossed: its tf_keras counterpart; unchanged on return.
        samples: at least two, real or standard normal; one array per input. As many are used
            as fit into TENSOR_BYTES.
        tolerance: largest |difference| of a layer's output on the same inputs, relative to the
            spread of that tensor over the samples.

    Returns:
        What was compared.

    Raises:
        PromiseError: the first layer that differs, by name; or a comparison that proves
            nothing (constant outputs, or the negative control did not fail).
    """
    inputs = [samples] if isinstance(samples, np.ndarray) else list(samples)
    if len(inputs[0]) < 2:
        raise PromiseError(
            f"the crossing of '{model.name}' cannot be proved on {len(inputs[0])} sample, "
            "expected at least 2: their spread is the measure"
        )
    graph = walk(model)
    inputs = [array[: _affordable(graph)] for array in inputs]
    with real_signal(graph, model, crossed, inputs) as expected:
        worst = _compare_layers(graph, crossed, expected, tolerance)
        _compare_outputs(graph, expected, _outputs(crossed, inputs))
        _require_spread(graph, expected, model.name)
        _require_control(graph, crossed, inputs, expected)
    return CrossingProof(len(graph.layers()), worst)


def relative_difference(expected: np.ndarray, received: np.ndarray) -> float:
    """Returns max |expected - received| / spread.

    The spread is the root mean square, over a tensor's elements, of the standard deviation
    over the samples; for a tensor that is constant over the samples its largest magnitude.

    Args:
        expected: (samples, …).
        received: the same shape.
    """
    if expected.shape != received.shape:
        return float("inf")
    if expected.size == 0:
        return 0.0
    difference = np.abs(expected.astype(np.float64) - received.astype(np.float64)).max()
    spread = _spread(expected)
    if spread == 0:
        spread = float(np.abs(expected).max()) or 1.0
    relative = float(difference / spread)
    return relative if np.isfinite(relative) else float("inf")


def swap_two_filters(layer: Any) -> bool:
    """Swaps the two filters of a tf_keras layer that differ most, in place: a wrong crossing.

    Returns:
        False if the layer has no kernel with two different filters.
    """
    for variable in layer.weights:
        name, kernel = last_name(variable), variable.numpy()
        if kernel.ndim < 2 or not np.issubdtype(kernel.dtype, np.floating):
            continue
        axis = kernel.ndim - (2 if name == "depthwise_kernel" else 1)
        filters = np.moveaxis(kernel, axis, 0).copy()
        if len(filters) < 2:
            continue
        far = int(np.argmax([np.abs(one - filters[0]).max() for one in filters]))
        if far == 0:
            continue
        filters[[0, far]] = filters[[far, 0]]
        variable.assign(np.moveaxis(filters, 0, axis))
        return True
    return False


def _affordable(graph: Graph) -> int:
    """Returns how many samples' tensors fit into TENSOR_BYTES, 2 or more."""
    floats = sum(math.prod(size or 1 for size in shape) for shape in graph.shapes.values())
    return max(TENSOR_BYTES // (4 * floats), 2)


def _compare_layers(
    graph: Graph,
    crossed: tf_keras.Model,
    expected: dict[Any, Any],
    tolerance: float,
) -> float:
    """Calls each layer's counterpart on what the Keras 3 layer was given, masks included."""
    worst = 0.0
    for call in graph.calls:
        results = call_layer(crossed.get_layer(call.name), call, expected)
        for ref, result in zip(call.outputs, results, strict=True):
            difference = relative_difference(np.asarray(expected[ref]), np.asarray(result))
            if difference > tolerance:
                raise PromiseError(
                    f"layer '{call.name}' ({type(call.layer).__name__}) differs in tf_keras by "
                    f"{difference:.2g} of its spread, expected at most {tolerance:g}; it is the "
                    "first that does: leave prune and qat out for this model, and report it"
                )
            worst = max(worst, difference)
    return worst


def _outputs(crossed: tf_keras.Model, inputs: list[np.ndarray]) -> dict[Any, np.ndarray]:
    """Returns the whole model's outputs by their number."""
    import tensorflow as tf

    outputs = crossed(inputs if len(inputs) > 1 else inputs[0], training=False)
    return {number: tensor.numpy() for number, tensor in enumerate(tf.nest.flatten(outputs))}


def _compare_outputs(
    graph: Graph, expected: dict[Any, np.ndarray], received: dict[Any, np.ndarray]
) -> None:
    worst = _output_difference(graph, expected, received)
    if worst > OUTPUT_TOLERANCE:
        raise PromiseError(
            f"the outputs differ in tf_keras by {worst:.2g} of their spread though every layer "
            f"agrees, expected at most {OUTPUT_TOLERANCE:g}: the graph was read wrongly, report it"
        )


def _output_difference(
    graph: Graph, expected: dict[Any, np.ndarray], received: dict[Any, np.ndarray]
) -> float:
    numbers = range(len(graph.output_refs()))
    return max(relative_difference(expected[n], received[n]) for n in numbers)


def _require_spread(graph: Graph, expected: dict[Any, np.ndarray], name: str) -> None:
    if all(_spread(expected[n]) == 0 for n in range(len(graph.output_refs()))):
        raise PromiseError(
            f"the outputs of '{name}' are the same for every sample, so comparing them proves "
            "nothing; check that the model is trained and the samples differ"
        )


def _require_control(
    graph: Graph,
    crossed: tf_keras.Model,
    inputs: list[np.ndarray],
    expected: dict[Any, np.ndarray],
) -> None:
    """Swaps two filters of one layer after another until the outputs differ, as they must."""
    tried = []
    for name in graph.layers():
        layer = crossed.get_layer(name)
        before = [weight.numpy() for weight in layer.weights]
        if not swap_two_filters(layer):
            continue
        tried.append(name)
        try:
            if _output_difference(graph, expected, _outputs(crossed, inputs)) > OUTPUT_TOLERANCE:
                return
        finally:
            for weight, value in zip(layer.weights, before, strict=True):
                weight.assign(value)
    if tried:
        raise PromiseError(
            f"two swapped filters in each of {', '.join(tried)} left the outputs unchanged, so "
            "the comparison proves nothing; check that the signal reaches the outputs"
        )


def _spread(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.var(values.astype(np.float64), axis=0))))
