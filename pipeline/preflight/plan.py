"""What will be done to a model, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.bridge.pruning_patterns import PATTERN_NOTE
from pipeline.config.prune import PruneConfig
from pipeline.preflight.verdicts import Aspect, Conversion, LayerRow, listed


def describe_plan(
    rows: Sequence[LayerRow], conversion: Conversion, prune: PruneConfig | None = None
) -> tuple[str, ...]:
    """Tells, stage by stage, what the check foresees.

    Args:
        rows: of the table.
        conversion: the trial.
        prune: of the run, if there is one; a pattern of zeros has its own sentence.
    """
    pruned = _kernels(rows, "prune", "pruned", "stays dense")
    return (
        f"{pruned}; {PATTERN_NOTE}" if prune is not None and prune.has_pattern else pruned,
        _kernels(rows, "cluster", "clustered", "keeps its values"),
        _training(rows),
        _conversion(rows, conversion),
    )


def _kernels(rows: Sequence[LayerRow], stage: str, aspect: Aspect, otherwise: str) -> str:
    taken = _with(rows, aspect, "yes")
    if not taken:
        return f"{stage}: not possible"
    share = sum(row.parameters for row in taken) / max(1, sum(row.parameters for row in rows))
    words = f"{stage}: {counted(taken)} with {share:.0%} of the parameters"
    left = [row.name for row in _with(rows, aspect, "no") if row.parameters]
    return f"{words}; {otherwise}: {listed(left)}" if left else words


def _training(rows: Sequence[LayerRow]) -> str:
    trained, left = _with(rows, "qat", "yes"), _with(rows, "qat", "converter")
    if not trained:
        return "qat: not possible; int8 comes from post-training quantization"
    if not left:
        return f"qat: all of {counted(trained)}"
    return f"qat: {counted(trained)}; left to the converter: {listed(row.name for row in left)}"


def _conversion(rows: Sequence[LayerRow], found: Conversion) -> str:
    if found.state == "not_tried":
        return f"export: not tried: {found.reason}"
    if found.state == "fails":
        return f"export: not possible: {found.reason}"
    if found.int8 == "refused":
        return f"export: float32, float16 and dynamic_range; int8 refused: {found.int8_reason}"
    if found.int8 == "partly_float":
        in_float = [row.name for row in rows if row.verdicts["exported"].reason]
        return f"export: int8, with {listed(in_float)} computing in float32"
    return "export: int8 throughout, built-in operators only"


def _with(rows: Sequence[LayerRow], aspect: Aspect, answer: str) -> list[LayerRow]:
    return [row for row in rows if row.verdicts[aspect].answer == answer]


def counted(rows: Sequence[LayerRow]) -> str:
    """How many layers: "1 layer", "12 layers"."""
    return f"{len(rows)} layer{'s' if len(rows) != 1 else ''}"
