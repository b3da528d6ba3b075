"""The pre-flight check of a model: every layer, every obstacle, before any work."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.graph import Graph
from pipeline.config.cluster import ClusterConfig
from pipeline.config.prune import PruneConfig
from pipeline.preflight.answers import Compiled, read_answers
from pipeline.preflight.bridging import (
    Crossing,
    clustering_verdicts,
    cross,
    pruning_verdicts,
    quantization_verdicts,
    read_graph,
)
from pipeline.preflight.macs import call_macs
from pipeline.preflight.plan import describe_plan
from pipeline.preflight.trial import (
    TIME_LIMIT,
    Trial,
    started_trial,
    too_large,
)
from pipeline.preflight.verdicts import Aspect, LayerRow, Preflight, TensorFacts, Verdict

if TYPE_CHECKING:
    import keras

    from pipeline.tflite.worker import ConversionWorker


def check_model(
    model: keras.Model,
    compiled: Compiled | None = None,
    prune: PruneConfig | None = None,
    cluster: ClusterConfig | None = None,
    samples: Sequence[np.ndarray] | None = None,
    worker: ConversionWorker | None = None,
    notes: Sequence[str] = (),
) -> Preflight:
    """Says what will happen to each layer of a model.

    Args:
        model: any built Keras 3 model; it is not changed.
        compiled: loss and from_logits of its compile config, if it has one.
        prune: which layers are to be pruned; by default all that can be.
        cluster: the same for clustering.
        samples: one array (n, …) per input for the trial of int8; default random numbers.
        worker: a started converter, to save its seconds of start-up.
        notes: what was said when the model was read; kept in front of the check's own.

    Returns:
        The table and all that belongs to it.
    """
    graph, refused = read_graph(model)
    if graph is None:
        rows, trial = _rows_without_graph(model, refused), Trial(False, "it has no graph")
    else:
        crossing, trial = _cross_and_convert(model, graph, samples, worker)
        rows = _rows(crossing, prune or PruneConfig(), cluster or ClusterConfig(), trial)
    return Preflight(
        name=model.name,
        class_name=type(model).__name__,
        rows=rows,
        inputs=_tensors(model, "inputs", "input_names"),
        outputs=_tensors(model, "outputs", "output_names"),
        answers=read_answers(model, compiled),
        plan=describe_plan(rows, trial),
        notes=tuple(notes),
    )


def _cross_and_convert(
    model: keras.Model,
    graph: Graph,
    samples: Sequence[np.ndarray] | None,
    worker: ConversionWorker | None,
) -> tuple[Crossing, Trial]:
    """The converter works in its own process while the model crosses, where it can."""
    from pipeline.tflite.worker import ConversionWorker

    counts = [call_macs(call, graph.shapes) or 0 for call in graph.calls]
    reason = too_large(model.count_params(), sum(counts), graph)
    if reason:
        return cross(model, graph), Trial(False, reason)
    with ExitStack() as stack:
        if worker is None:
            worker = stack.enter_context(ConversionWorker(TIME_LIMIT))
        trial = stack.enter_context(started_trial(graph, worker, samples))
        return cross(model, graph), trial.result()


def _rows(
    crossing: Crossing, prune: PruneConfig, cluster: ClusterConfig, trial: Trial
) -> tuple[LayerRow, ...]:
    graph = crossing.graph
    pruned, clustered = pruning_verdicts(crossing, prune), clustering_verdicts(crossing, cluster)
    qat = quantization_verdicts(crossing)
    rows = []
    for name, layer in graph.layers().items():
        calls = [call for call in graph.calls if call.name == name]
        macs = [call_macs(call, graph.shapes) for call in calls]
        verdicts: dict[Aspect, Verdict] = {
            "bridged": crossing.bridged[name],
            "pruned": pruned[name],
            "clustered": clustered[name],
            "qat": qat[name],
            "exported": trial.verdict(name),
        }
        total = None if None in macs else sum(filter(None, macs))
        rows.append(LayerRow(name, _class_name(layer), _size(layer), total, len(calls), verdicts))
    return tuple(rows)


def _rows_without_graph(model: keras.Model, refused: Verdict) -> tuple[LayerRow, ...]:
    """The layers that a subclassed model holds; in which order it calls them is not known."""
    verdicts: dict[Aspect, Verdict] = {
        "bridged": refused,
        "pruned": refused,
        "clustered": refused,
        "qat": refused,
        "exported": Verdict("not_tried", "the converter is tried on models with a graph"),
    }
    return tuple(
        LayerRow(layer.name, _class_name(layer), _size(layer), None, 1, verdicts)
        for layer in model._flatten_layers(include_self=False, recursive=False)
    )


def _class_name(layer: Any) -> str:
    return type(layer).__name__


def _size(layer: Any) -> int:
    return sum(prod(weight.shape) for weight in getattr(layer, "weights", ()))


def _tensors(model: Any, which: str, names: str) -> tuple[TensorFacts, ...]:
    tensors = getattr(model, which, None) or ()
    own = getattr(model, names, None) or [tensor.name for tensor in tensors]
    return tuple(
        TensorFacts(str(name), tuple(tensor.shape), str(tensor.dtype))
        for name, tensor in zip(own, tensors, strict=True)
    )
