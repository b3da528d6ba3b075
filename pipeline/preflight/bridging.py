"""What the bridge makes of each layer: crossed, pruned, trained with quantization, or why not.

The answers are the bridge's own: what refuses here is what would refuse in the run.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.bridge import clustering_plan, pruning_plan
from pipeline.bridge.crossing import make_layer, to_tf_keras
from pipeline.bridge.graph import Graph, walk
from pipeline.bridge.kernels import WITHOUT_KERNEL
from pipeline.bridge.qat_plan import plan_quantization
from pipeline.errors import SlimlineError
from pipeline.preflight.verdicts import NOTHING, YES, Verdict

if TYPE_CHECKING:
    import keras
    import tf_keras

    from pipeline.config.cluster import ClusterConfig
    from pipeline.config.prune import PruneConfig

# The bridge's own tf_keras classes, which call the Keras 3 layer or operation.
RUN_AS_THEMSELVES = frozenset({"BridgeOperation", "BridgeLayer"})
BLOCKED = Verdict("no", "the model does not cross to tf_keras", "see what is not bridged")
# How our messages begin. The table names layer and stage already; equal reasons are told once.
_LAYER = re.compile(r"^(prune: |cluster: |(layer|operation) '[^']*' (\(\w+\):? )?)")


@dataclass(frozen=True)
class Crossing:
    """How a model with a graph crosses.

    Attributes:
        graph: of the Keras 3 model.
        crossed: its tf_keras counterpart; None if it does not cross.
        bridged: layer name → verdict.
        refused: why the whole model does not cross, where no single layer is the reason.
    """

    graph: Graph
    crossed: tf_keras.Model | None
    bridged: Mapping[str, Verdict]
    refused: Verdict | None = None


def read_graph(model: keras.Model) -> tuple[Graph | None, Verdict]:
    """Returns the graph of a model, or why it has none."""
    try:
        return walk(model), YES
    except SlimlineError as error:
        return None, refusal(error)


def cross(model: keras.Model, graph: Graph) -> Crossing:
    """Crosses a model, and where it does not, finds every layer that stands in the way.

    Args:
        model: Keras 3; it is not changed.
        graph: of the model.
    """
    try:
        crossed = to_tf_keras(model)
    except SlimlineError as error:
        return _find_obstacles(graph, error)
    bridged = {name: _bridged(crossed.get_layer(name)) for name in graph.layers()}
    return Crossing(graph, crossed, bridged)


def _find_obstacles(graph: Graph, error: SlimlineError) -> Crossing:
    """Asks every layer, since the crossing stops at the first one that refuses."""
    bridged: dict[str, Verdict] = {}
    for number, call in enumerate(graph.calls):
        if call.name in bridged:
            continue
        try:
            bridged[call.name] = _bridged(make_layer(call, graph, 0, number))
        except SlimlineError as refused:
            bridged[call.name] = refusal(refused)
    alone = not any(verdict.blocks for verdict in bridged.values())
    return Crossing(graph, None, bridged, refusal(error) if alone else None)


def _bridged(made: Any) -> Verdict:
    if type(made).__name__ in RUN_AS_THEMSELVES:
        return Verdict("as_itself", getattr(made.spec, "reason", "an operation"))
    return YES


def refusal(error: Exception) -> Verdict:
    """Turns an expected failure into a verdict: our messages tell the fix after a semicolon."""
    reason, _, fix = _LAYER.sub("", str(error)).partition("; ")
    return Verdict("no", reason, fix, blocks=True)


def pruning_verdicts(crossing: Crossing, config: PruneConfig) -> dict[str, Verdict]:
    """Says for each layer whether magnitude pruning takes it.

    Args:
        crossing: of a model with a graph.
        config: of the stage prune; its defaults prune whatever can be.
    """
    choose = functools.partial(pruning_plan.choose_layers, config=config)
    return _chosen_verdicts(crossing, choose, WITHOUT_KERNEL, "it stays dense")


def clustering_verdicts(crossing: Crossing, config: ClusterConfig) -> dict[str, Verdict]:
    """Says for each layer whether clustering takes it.

    Args:
        crossing: of a model with a graph.
        config: of the stage cluster; its defaults cluster whatever can be.
    """
    choose = functools.partial(clustering_plan.choose_layers, config=config)
    return _chosen_verdicts(crossing, choose, WITHOUT_KERNEL, "it keeps its values")


def _chosen_verdicts(
    crossing: Crossing,
    choose: Callable[[Any], tuple[Mapping[str, Any], list[dict[str, str]]]],
    without_kernel: Sequence[str],
    otherwise: str,
) -> dict[str, Verdict]:
    """Asks a stage which layers it takes, and why not the others."""
    crossed = crossing.crossed
    if crossed is None:
        return dict.fromkeys(crossing.bridged, BLOCKED)
    weighted = [name for name in crossing.bridged if crossed.get_layer(name).weights]
    verdicts = dict.fromkeys(crossing.bridged, NOTHING)
    try:
        chosen, skipped = choose(crossed)
    except SlimlineError as error:
        return verdicts | dict.fromkeys(weighted, refusal(error))
    for entry in skipped:
        if entry["class"] not in without_kernel:
            fix = f"none needed: {otherwise}"
            verdicts[entry["layer"]] = Verdict("no", entry["reason"], fix)
    return verdicts | dict.fromkeys(chosen, YES)


def quantization_verdicts(crossing: Crossing) -> dict[str, Verdict]:
    """Says for each layer whether it is trained with quantization or left to the converter."""
    if crossing.crossed is None:
        return dict.fromkeys(crossing.bridged, BLOCKED)
    chosen, left = plan_quantization(crossing.crossed, crossing.graph)
    reasons = {entry["layer"]: entry["reason"] for entry in left}
    if not chosen:
        fix = "use quantize.method: ptq"
        return {name: Verdict("no", why, fix, blocks=True) for name, why in reasons.items()}
    return {
        **dict.fromkeys(chosen, YES),
        **{name: Verdict("converter", why) for name, why in reasons.items()},
    }
