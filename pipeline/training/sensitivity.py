"""How much the loss rises when something is taken from one part of a model at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.artifacts.measurements import Measurements
    from pipeline.progress import Progress

# Takes something from the model while it is entered, and puts it back.
Damage = Callable[[], AbstractContextManager[None]]


# Of each stage that measures curves, in its working folder.
SENSITIVITY_FILE = "sensitivity.json"


def measure_curves(
    loss: Callable[[], float],
    damages: Sequence[Mapping[int, Damage]],
    known: Measurements,
    progress: Progress,
) -> list[dict[int, float]]:
    """Measures one curve for each part.

    Args:
        loss: of the model as it is at the call, always on the same samples.
        damages: for each part: how much is taken → what takes it.
        known: losses that a killed process measured of the same parts, and where new ones go.
        progress: shows one bar over the parts.

    Returns:
        For each part: how much is taken → how much the loss rose.
    """

    def without(damage: Damage) -> list[float]:
        with damage():
            return [loss()]

    (whole,) = known.recall("whole", lambda: [loss()])
    curves = []
    progress.begin("sensitivity", len(damages), "parts")
    try:
        for part, own in enumerate(damages):
            curve = {}
            for amount, damage in own.items():
                measure = functools.partial(without, damage)
                curve[amount] = known.recall([part, amount], measure)[0] - whole
            curves.append(curve)
            progress.advance(1)
    finally:
        progress.end()
    return curves
