"""What will be done to a model, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.preflight.trial import Trial
from pipeline.preflight.verdicts import Aspect, LayerRow

LISTED = 3


def describe_plan(rows: Sequence[LayerRow], trial: Trial) -> tuple[str, ...]:
    """Tells, stage by stage, what the check foresees.

    Args:
        rows: of the table.
        trial: the trial conversion.
    """
    return (
        _kernels(rows, "prune", "pruned", "stays dense"),
        _kernels(rows, "cluster", "clustered", "keeps its values"),
        _training(rows),
        _conversion(trial),
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


def _conversion(trial: Trial) -> str:
    if not trial.tried:
        return f"export: not tried: {trial.reason}"
    if trial.reason:
        return f"export: not possible: {trial.reason}"
    if trial.custom:
        return f"export: not possible: TFLite lacks operators of {listed(trial.custom)}"
    if trial.int8:
        return f"export: float32, float16 and dynamic_range; int8 refused: {trial.int8}"
    if trial.floats:
        return f"export: int8, with {listed(trial.floats)} computing in float32"
    return "export: int8 throughout, built-in operators only"


def _with(rows: Sequence[LayerRow], aspect: Aspect, answer: str) -> list[LayerRow]:
    return [row for row in rows if row.verdicts[aspect].answer == answer]


def counted(rows: Sequence[LayerRow]) -> str:
    """How many layers: "1 layer", "12 layers"."""
    return f"{len(rows)} layer{'s' if len(rows) != 1 else ''}"


def listed(names: Iterable[str]) -> str:
    """Names the first few: "a, b, c and 14 more"."""
    names = list(names)
    words = ", ".join(names[:LISTED])
    return words if len(names) <= LISTED else f"{words} and {len(names) - LISTED} more"
