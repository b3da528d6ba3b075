"""The data: read, checked, split once, and the decisions recorded. Comes before every chain."""

from __future__ import annotations

from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult


def run(config: Config, context: Context) -> StageResult:
    """Prepares the data section's source; the samples themselves stay where they are."""
    from pipeline.data.prepare import prepare_data, save_preparation

    planned = context.made_of["inputs"]["source"]
    preparation = prepare_data(config.data, context.seed, planned)
    save_preparation(preparation, context.output)
    notes = _duplicate_notes(preparation.duplicates)
    if "called" in planned:
        notes = (*notes, "the function has no version, so its data are read again on each run")
    return StageResult(preparation.metrics(), preparation.digest, notes)


def _duplicate_notes(duplicates: dict[str, int]) -> tuple[str, ...]:
    """Tells of samples that stand in two splits: they make figures look better than they are."""
    notes = []
    for pair, count in duplicates.items():
        first, separator, second = pair.partition("/")
        if count and separator:
            notes.append(f"warning: {count} samples of {second} also occur in {first}")
    return tuple(notes)
