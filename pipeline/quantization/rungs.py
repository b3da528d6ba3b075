"""The rungs of the ladder, from cheap to dear: what each one sets in the section `quantize`."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config.ranges import DEFAULT_PERCENTILE
from pipeline.quantization.attempt import Attempt, Change

# What the worst layers may have instead of the file's int8, the smaller file first.
SCHEMES = {"int16x8": "16 bits", "float32": "float"}
QAT = "quantization-aware training"
LayerErrors = Mapping[str, Any] | None
# The best try before the rung and the noise of its layers → what to try, one after the other.
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
    kinds = {"mse": "least squared error", "percentile": f"{DEFAULT_PERCENTILE}th percentile"}
    for kind, words in kinds.items():
        values = {"ranges": {"kind": kind}, "bias_correction": True}
        yield Change(f"ranges of {words}, biases corrected", values)
    equalized = {"cross_layer_equalization": True, "bias_correction": True}
    yield Change("layers equalized, biases corrected", equalized)


def _except_the_worst(best: Attempt | None, layers: LayerErrors) -> Iterable[Change]:
    """Gives the layers with the most noise of their own 16 bits, then float: 1, 2, 4, … of them."""
    rows = [] if layers is None else layers.get("layers", [])
    noisy = [row["layer"] for row in rows if row["own_sqnr_db"] is not None]
    names = list(dict.fromkeys(noisy))  # a layer that is called twice has two rows
    settings = {} if best is None else dict(best.change.values)
    count = 1
    while count <= len(names) // 2:
        for scheme, words in SCHEMES.items():
            # Names are patterns there: one with a bracket stands for itself.
            exceptions = {glob.escape(name): {"scheme": scheme} for name in names[:count]}
            listed = ", ".join(names[:count])
            yield Change(f"{listed} in {words}", {**settings, "layers": exceptions})
        count *= 2


RUNGS = (
    Rung("post-training int8", _as_it_is),
    Rung("better calibration", _calibrated),
    Rung("exceptions for the worst layers", _except_the_worst, reads_layers=True),
)
