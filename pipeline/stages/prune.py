"""prune: small weights to zero while fine-tuning, by tfmot over the bridge."""

from __future__ import annotations

from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_input_model, load_splits, load_teacher


def check(config: Config) -> None:
    """Refuses, when planned, an optimizer that the bridge's other side does not have."""
    from pipeline.bridge.optimizers_table import check_optimizer_crosses

    check_optimizer_crosses(config.prune.optimizer, "prune")


def run(config: Config, context: Context) -> StageResult:
    """Prunes as `prune` says; the promised sparsity is counted before anything is saved."""
    from pipeline.bridge.pruning import prune
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
    notes = (f"left dense: {dense} (the report has the reasons)",) if dense else ()
    return StageResult(result.metrics(), model_digest(result.model), notes)
