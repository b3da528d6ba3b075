"""The pre-flight check of a model: every layer, every obstacle, before any work."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.graph import Graph
from pipeline.config.cluster import ClusterConfig
from pipeline.config.prune import PruneConfig
from pipeline.errors import ConfigError
from pipeline.models.functional import as_functional
from pipeline.preflight.answers import read_answers
from pipeline.preflight.bridging import Crossing, cross, read_graph
from pipeline.preflight.macs import call_macs
from pipeline.preflight.plan import describe_plan
from pipeline.preflight.rows import make_rows, rows_without_graph
from pipeline.preflight.trial import (
    TIME_LIMIT,
    Trial,
    started_trial,
    too_large,
)
from pipeline.preflight.verdicts import Preflight, TensorFacts

if TYPE_CHECKING:
    import keras

    from pipeline.foreign.compile_facts import CompileFacts
    from pipeline.tflite.worker import ConversionWorker


def check_model(
    model: keras.Model,
    compiled: CompileFacts | None = None,
    prune: PruneConfig | None = None,
    cluster: ClusterConfig | None = None,
    samples: Sequence[np.ndarray] | None = None,
    worker: ConversionWorker | None = None,
    notes: Sequence[str] = (),
    *,
    convert: bool = True,
    task: str | None = None,
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
        convert: give the model to the converter; it takes seconds.
        task: what the data ask for; by default what the loss tells.

    Returns:
        The table and all that belongs to it.
    """
    given, model = model, _with_graph(model)
    graph, refused = read_graph(model)
    if graph is None:
        rows, trial = rows_without_graph(model, refused), Trial(False, "it has no graph")
    else:
        if convert:
            crossing, trial = _cross_and_convert(model, graph, samples, worker)
        else:
            crossing, trial = cross(model, graph), Trial(False, "not asked for")
        rows = make_rows(crossing, prune or PruneConfig(), cluster or ClusterConfig(), trial)
    return Preflight(
        name=given.name,
        class_name=type(given).__name__,
        rows=rows,
        inputs=_tensors(model, "inputs", "input_names"),
        outputs=_tensors(model, "outputs", "output_names"),
        answers=read_answers(model, compiled, task),
        conversion=trial.conversion(),
        plan=describe_plan(rows, trial.conversion(), prune),
        notes=tuple(notes),
    )


def _with_graph(model: keras.Model) -> keras.Model:
    """Makes a subclassed model a graph of one call, where its input's shape is known."""
    try:
        return as_functional(model)
    except ConfigError:
        return model


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


def _tensors(model: Any, which: str, names: str) -> tuple[TensorFacts, ...]:
    tensors = getattr(model, which, None) or ()
    own = getattr(model, names, None) or [tensor.name for tensor in tensors]
    return tuple(
        TensorFacts(str(name), tuple(tensor.shape), str(tensor.dtype))
        for name, tensor in zip(own, tensors, strict=True)
    )
