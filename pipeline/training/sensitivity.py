"""How much the loss rises when something is taken from one part of a model at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.progress import Progress

# Takes something from the model while it is entered, and puts it back.
Damage = Callable[[], AbstractContextManager[None]]


def measure_curves(
    loss: Callable[[], float], damages: Sequence[Mapping[int, Damage]], progress: Progress
) -> list[dict[int, float]]:
    """Measures one curve for each part.

    Args:
        loss: of the model as it is at the call, always on the same samples.
        damages: for each part: how much is taken → what takes it.
        progress: shows one bar over the parts.

    Returns:
        For each part: how much is taken → how much the loss rose.
    """
    whole = loss()
    curves = []
    progress.begin("sensitivity", len(damages), "parts")
    try:
        for own in damages:
            curve = {}
            for amount, damage in own.items():
                with damage():
                    curve[amount] = loss() - whole
            curves.append(curve)
            progress.advance(1)
    finally:
        progress.end()
    return curves
