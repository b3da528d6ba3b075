"""The rows of the table, from what bridge and converter say of each layer."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from pipeline.bridge.kernels import kernels_inside
from pipeline.config.cluster import ClusterConfig
from pipeline.config.prune import PruneConfig
from pipeline.preflight.bridging import (
    Crossing,
    clustering_verdicts,
    pruning_verdicts,
    quantization_verdicts,
)
from pipeline.preflight.macs import call_macs
from pipeline.preflight.trial import Trial
from pipeline.preflight.verdicts import NOTHING, YES, Aspect, LayerRow, Verdict

if TYPE_CHECKING:
    import keras


def make_rows(
    crossing: Crossing, prune: PruneConfig, cluster: ClusterConfig, trial: Trial
) -> tuple[LayerRow, ...]:
    """Returns a row per layer and operation of a graph, in the order of their first calls.

    Args:
        crossing: of the model.
        prune: of the stage.
        cluster: of the stage.
        trial: of the model; also one that was not made.
    """
    import keras

    graph = crossing.graph
    pruned, clustered = pruning_verdicts(crossing, prune), clustering_verdicts(crossing, cluster)
    qat = quantization_verdicts(crossing)
    rows: list[LayerRow] = []
    for name, layer in graph.layers().items():
        calls = [call for call in graph.calls if call.name == name]
        macs = [call_macs(call, graph.shapes) for call in calls]
        total = None if None in macs else sum(filter(None, macs))
        verdicts: dict[Aspect, Verdict] = {
            "bridged": crossing.bridged[name],
            "pruned": pruned[name],
            "clustered": clustered[name],
            "qat": qat[name],
            "exported": trial.verdict(name),
        }
        if isinstance(layer, keras.Model):
            rows += _inner_rows(name, layer, verdicts, len(calls))
        else:
            size = _size(layer)
            rows.append(LayerRow(name, type(layer).__name__, size, total, len(calls), verdicts))
    return tuple(rows)


def rows_without_graph(model: keras.Model, refused: Verdict) -> tuple[LayerRow, ...]:
    """Returns the layers of a subclassed model that nothing is known of but their weights.

    Args:
        model: of which not even the shape of its input is known.
        refused: why it has no graph.
    """
    verdicts: dict[Aspect, Verdict] = {
        "bridged": refused,
        "pruned": refused,
        "clustered": refused,
        "qat": refused,
        "exported": Verdict("not_tried", "the shape of its input is not known"),
    }
    return tuple(
        LayerRow(layer.name, type(layer).__name__, _size(layer), None, 1, verdicts)
        for layer in _held_layers(model)
    )


def _inner_rows(
    name: str, model: keras.Model, verdicts: Mapping[Aspect, Verdict], calls: int
) -> list[LayerRow]:
    """A subclassed model within a graph: how it calls its layers is code, and told by no graph."""
    return [
        LayerRow(
            f"{name}/{layer.name}",
            type(layer).__name__,
            _size(layer),
            None,
            calls,
            {aspect: _inside(name, layer, aspect, verdicts[aspect]) for aspect in verdicts},
        )
        for layer in _held_layers(model)
    ]


def _inside(name: str, layer: Any, aspect: Aspect, outside: Verdict) -> Verdict:
    """What is said of the whole model, as it holds for one of its layers."""
    if aspect in ("bridged", "exported"):
        return outside
    if aspect in ("pruned", "clustered") and outside.answer == "yes":
        return YES if kernels_inside(layer) else NOTHING
    reason = f"inside the subclassed model '{name}', which has no graph"
    return Verdict("no", reason, "write it with the functional API", outside.blocks)


def _held_layers(model: keras.Model) -> list[Any]:
    return list(model._flatten_layers(include_self=False, recursive=False))


def _size(layer: Any) -> int:
    return sum(prod(weight.shape) for weight in getattr(layer, "weights", ()))
