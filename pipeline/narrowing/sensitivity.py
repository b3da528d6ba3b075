"""How much the loss rises when one group loses units: measured on validation samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.narrowing.rebuild import silenced
from pipeline.training.evaluate import evaluator

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import Split
    from pipeline.narrowing.channel_graph import ChannelGraph
    from pipeline.narrowing.groups import Group
    from pipeline.progress import Progress
    from pipeline.tasks.task import Task

# Of the units of a group that may go.
MEASURED_FRACTIONS = (0.25, 0.5, 0.75, 1.0)


def measure_sensitivity(
    model: keras.Model,
    channels: ChannelGraph,
    groups: Sequence[Group],
    split: Split,
    task: Task,
    progress: Progress,
) -> list[dict[int, float]]:
    """Removes parts of one group at a time, the least important units first, and evaluates.

    Args:
        model: unchanged on return.
        channels: of the model.
        groups: each with at least one unit in its order.
        split: validation samples with answers.
        task: whose loss it is.
        progress: shows one bar over the groups.

    Returns:
        For each group: units removed → how much the loss rose.
    """
    evaluate = evaluator(model, task)
    whole = evaluate(split)["loss"]
    curves = []
    progress.begin("sensitivity", len(groups), "groups")
    try:
        for group in groups:
            removable = len(group.order)
            counts = sorted({max(1, round(part * removable)) for part in MEASURED_FRACTIONS})
            curve = {}
            for count in counts:
                kept = np.ones(channels.count, bool)
                kept[group.order[:count]] = False
                with silenced(channels, kept):
                    curve[count] = evaluate(split)["loss"] - whole
            curves.append(curve)
            progress.advance(1)
    finally:
        progress.end()
    return curves
