"""prune: small weights to zero while fine-tuning, by tfmot over the bridge."""

from __future__ import annotations

from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_input_model, load_splits, load_teacher

# They give zeros new values; a pattern of zeros is a promise about all files behind it.
UNDOING = ("train", "tune", "distill")


def check(config: Config) -> None:
    """Refuses, when planned, an optimizer that cannot cross, and what would undo a pattern."""
    from pipeline.bridge.optimizers_table import check_optimizer_crosses

    check_optimizer_crosses(config.prune.optimizer, "prune")
    if "prune" not in config.stages or not config.prune.has_pattern:
        return
    key = "block_size" if config.prune.sparsity_m_by_n is None else "sparsity_m_by_n"
    behind = config.stages[config.stages.index("prune") + 1 :]
    undoing = [stage for stage in behind if stage in UNDOING]
    if undoing:
        raise ConfigError(
            f"prune.{key}: {undoing[-1]} after prune would give its zeros new values; put prune "
            f"after {undoing[-1]}"
        )
    if "cluster" in behind and not config.cluster.preserve_sparsity:
        raise ConfigError(
            f"prune.{key}: cluster.preserve_sparsity: false would lose the pattern of zeros; leave "
            "one of the two out"
        )


def run(config: Config, context: Context) -> StageResult:
    """Prunes as `prune` says; the promised sparsity is counted before anything is saved."""
    from pipeline.bridge.pruning import prune
    from pipeline.bridge.pruning_patterns import PATTERN_NOTE
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model

    data = load_splits(config, context, "train", "validation")
    model = load_input_model(context)
    result = prune(
        model, data, config.prune, context.seed, context.work, context.output, context.progress,
        load_teacher(context),
    )  # fmt: skip
    save_model(result.model, context.output / MODEL_FILE)
    dense = ", ".join(result.dense_kernels)
    notes = [f"left dense: {dense} (the report has the reasons)"] if dense else []
    if config.prune.has_pattern:
        notes.append(PATTERN_NOTE)
    return StageResult(result.metrics(), model_digest(result.model), tuple(notes))
