"""cluster: the weights of each kernel share few values, by tfmot over the bridge."""

from __future__ import annotations

from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_input_model, load_splits, load_teacher

# What may follow: any training but that of quantize would undo the clusters.
KEEPERS = ("quantize", "export", "evaluate", "report")


def check(config: Config) -> None:
    """Refuses, when planned, an optimizer that cannot cross, and a stage that undoes this one."""
    from pipeline.bridge.optimizers_table import check_optimizer_crosses

    check_optimizer_crosses(config.cluster.optimizer, "cluster")
    stages = config.stages
    behind = stages[stages.index("cluster") + 1 :] if "cluster" in stages else ()
    undoing = [stage for stage in behind if stage not in KEEPERS]
    if undoing:
        raise ConfigError(
            f"stages: {undoing[0]} after cluster would give each weight its own value again; put "
            f"cluster after {undoing[-1]}"
        )


def run(config: Config, context: Context) -> StageResult:
    """Clusters as `cluster` says; values and zeros are counted before anything is saved."""
    from pipeline.bridge.clustering import cluster
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model

    data = load_splits(config, context, "train", "validation")
    model = load_input_model(context)
    result = cluster(
        model, data, config.cluster, context.seed, context.work, context.output, context.progress,
        load_teacher(context),
    )  # fmt: skip
    save_model(result.model, context.output / MODEL_FILE)
    free = ", ".join(result.free_kernels)
    notes = (f"not clustered: {free} (the report has the reasons)",) if free else ()
    return StageResult(result.metrics(), model_digest(result.model), notes)
