"""The rungs of the ladder, from cheap to dear: what each one sets in the section `quantize`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.quantization.attempt import Attempt, Change

QAT = "quantization-aware training"
LayerErrors = Mapping[str, Any] | None
# The best try so far and the noise of its layers → what to try next, lazily, one after the other.
Changes = Callable[[Attempt | None, LayerErrors], Iterable[Change]]


@dataclass(frozen=True)
class Rung:
    """A rung of post-training quantization.

    Attributes:
        name: of the rung.
        changes: what it tries.
        reads_layers: whether it must know the noise of each layer of the best try so far.
    """

    name: str
    changes: Changes
    reads_layers: bool = False


def _as_it_is(best: Attempt | None, layers: LayerErrors) -> Iterable[Change]:
    yield Change("ranges from least to largest value")


def _calibrated(best: Attempt | None, layers: LayerErrors) -> Iterable[Change]:
    for kind, words in (("mse", "least squared error"), ("percentile", "99.99th percentile")):
        values = {"ranges": {"kind": kind}, "bias_correction": True}
        yield Change(f"ranges of {words}, biases corrected", values)
    equalized = {"cross_layer_equalization": True, "bias_correction": True}
    yield Change("layers equalized, biases corrected", equalized)


RUNGS = (
    Rung("post-training int8", _as_it_is),
    Rung("better calibration", _calibrated),
)
