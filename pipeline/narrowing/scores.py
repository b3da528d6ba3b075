"""How much each unit of a model matters: by its weights, or by its effect on the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.bridge.graph import Graph, Ref, fill
from pipeline.compression.importance import (
    channel_norms,
    mean_over_layers,
    normalize_scores,
    sum_by_unit,
)
from pipeline.tasks.losses import losses

if TYPE_CHECKING:
    import tensorflow as tf

    from pipeline.data.prepared import Split
    from pipeline.narrowing.channel_graph import ChannelGraph
    from pipeline.tasks.task import Task

BATCH_SIZE = 64


def score_by_norm(channels: ChannelGraph, order: int) -> np.ndarray:
    """Scores units by the weights that make them (Li et al. 2017).

    Args:
        channels: of the model.
        order: 1 for the L1 norm of a filter, 2 for the L2 norm.

    Returns:
        float64 (units,), the mean over the layers that make the unit, each normalized; NaN for
        units that no kernel makes.
    """
    layers = channels.graph.layers()
    scored = []
    for weight in channels.weights:
        if weight.makes is not None:
            kernel = np.asarray(getattr(layers[weight.layer], weight.name))
            norms = channel_norms(kernel, weight.makes, order)
            scored.append((weight.array.axes[weight.makes], normalize_scores(norms)))
    return mean_over_layers(scored, channels.count)


def score_by_scale(channels: ChannelGraph) -> np.ndarray:
    """Scores units by |gamma| of their BatchNormalization (Liu et al. 2017, arXiv 1708.06519).

    Args:
        channels: of the model.

    Returns:
        float64 (units,); NaN where no BatchNormalization scales the unit.
    """
    layers = channels.graph.layers()
    scored = [
        (units, normalize_scores(np.abs(layers[name].gamma.numpy())))
        for name, units in channels.scales.items()
    ]
    return mean_over_layers(scored, channels.count)


def score_by_taylor(channels: ChannelGraph, split: Split, task: Task) -> np.ndarray:
    """Scores units by what the loss would change without them, to first order.

    Molchanov et al. 2017 (arXiv 1611.06440), equation 7, where z are the unit's channels as the
    kernels behind it read them: mean over samples of |Σ ∂loss/∂z · z|. Summed over places instead
    of averaged, which changes no order within a layer.

    Args:
        channels: of the model.
        split: samples with answers.
        task: whose loss it is.

    Returns:
        float64 (units,), in units of the loss.
    """
    import tensorflow as tf

    @tf.function(jit_compile=False, reduce_retracing=True)
    def effects(x: tf.Tensor, y: tf.Tensor) -> list[tf.Tensor]:
        return _effects(channels, x, y, task)

    total = np.zeros(channels.count)
    for start in range(0, len(split), BATCH_SIZE):
        rows = slice(start, start + BATCH_SIZE)
        values = effects(tf.constant(split.x[rows]), tf.constant(split.y[rows]))
        sums = sum(
            sum_by_unit(reading.units, effect.numpy(), channels.count)
            for reading, effect in zip(channels.readings, values, strict=True)
        )
        total += np.abs(sums).sum(axis=1)
    return total / len(split)


def _effects(channels: ChannelGraph, x: tf.Tensor, y: tf.Tensor, task: Task) -> list[tf.Tensor]:
    """Returns z · ∂loss/∂z of each reading, float (samples, channels), summed over places."""
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        outputs, read = _run(channels, x, tape)
        loss = tf.reduce_sum(losses(task, outputs, y))
    gradients = tape.gradient(loss, read, unconnected_gradients="zero")
    return [
        tf.reduce_sum(z * gradient, axis=tuple(range(1, z.shape.rank - 1)))
        for z, gradient in zip(read, gradients, strict=True)
    ]


def _run(
    channels: ChannelGraph, x: tf.Tensor, tape: tf.GradientTape
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Runs the graph in inference mode; what each reading reads is a tensor of its own.

    Without a copy the gradient of a tensor that is also added to another, as in a residual block,
    would count the other's readings once more.
    """
    import tensorflow as tf

    graph: Graph = channels.graph
    values: dict[Ref, tf.Tensor] = {graph.inputs[0].ref: x}
    readings = {id(reading.call) for reading in channels.readings}
    read = []
    for call in graph.calls:
        given = values
        if id(call) in readings:
            copy = tf.identity(values[call.inputs[0]])
            tape.watch(copy)
            read.append(copy)
            given = {**values, call.inputs[0]: copy}
        args, kwargs = fill((call.args, call.kwargs), given.__getitem__)
        made = call.layer(*args, **kwargs)
        made = made if isinstance(made, list | tuple) else [made]
        values.update(zip(call.outputs, made, strict=True))
    return fill(graph.outputs, values.__getitem__), read
