"""How much the loss rises when one group loses units: measured on validation samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.narrowing.rebuild import silenced
from pipeline.training.evaluate import evaluator
from pipeline.training.sensitivity import Damage, measure_curves

if TYPE_CHECKING:
    import keras

    from pipeline.artifacts.measurements import Measurements
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
    known: Measurements,
    progress: Progress,
) -> list[dict[int, float]]:
    """Removes parts of one group at a time, the least important units first, and evaluates.

    Args:
        model: unchanged on return.
        channels: of the model.
        groups: each with at least one unit in its order.
        split: validation samples with answers.
        task: whose loss it is.
        known: losses that a killed process measured of this model, and where new ones go.
        progress: shows one bar over the groups.

    Returns:
        For each group: units removed → how much the loss rose.
    """
    evaluate = evaluator(model, task)

    def without(group: Group, count: int) -> Damage:
        kept = np.ones(channels.count, bool)
        kept[group.order[:count]] = False
        return lambda: silenced(channels, kept)

    damages = []
    for group in groups:
        removable = len(group.order)
        counts = sorted({max(1, round(part * removable)) for part in MEASURED_FRACTIONS})
        damages.append({count: without(group, count) for count in counts})
    return measure_curves(lambda: evaluate(split)["loss"], damages, known, progress)
