"""narrow: whole filters and units removed, then fine-tuning in Keras 3."""

from __future__ import annotations

from typing import Any

from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_input_model, load_splits, load_teacher

# They would begin with another model, or tell this one's figures as the float model's.
EARLIER = ("train", "tune", "distill")


def check(config: Config) -> None:
    """Refuses, when planned, a chain in which narrow stands at the wrong place, or cannot work."""
    from pipeline.tflite.relative_latency import reason_without

    if "narrow" not in config.stages:
        return
    reason = reason_without(config.narrow.target.measured_by)
    if reason is not None:
        raise ConfigError(f"narrow.target.runtime: {reason}; give litert")
    place = config.stages.index("narrow")
    if "prune" in config.stages[:place]:
        raise ConfigError(
            "stages: narrow after prune would give its zeros new values; put narrow before prune"
        )
    behind = [stage for stage in config.stages[place:] if stage in EARLIER]
    if behind:
        raise ConfigError(
            f"stages: {behind[-1]} after narrow would not keep what narrow made; put narrow after "
            f"{behind[-1]}"
        )


def run(config: Config, context: Context) -> StageResult:
    """Narrows as `narrow` says; what is left is counted in the model before anything is saved."""
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model
    from pipeline.narrowing.narrow import narrow

    data = load_splits(config, context, "train", "validation")
    model = load_input_model(context)
    result = narrow(
        model, data, config.narrow, context.seed, context.work, context.output, context.progress,
        load_teacher(context), context.converter,
    )  # fmt: skip
    save_model(result.model, context.output / MODEL_FILE)
    metrics = result.metrics()
    return StageResult(metrics, model_digest(result.model), _notes(metrics))


def _notes(metrics: dict[str, Any]) -> tuple[str, ...]:
    """Tells what is left."""
    left = []
    for figure, words in (("macs", "multiply-accumulates"), ("parameters", "parameters")):
        before, after = metrics[figure]["before"], metrics[figure]["after"]
        if before:
            left.append(f"{after:,} of {before:,} {words} remain ({after / before:.1%})")
    latency = metrics["latency"]
    if latency is not None:
        final = latency["final"]
        left.append(
            f"{final['fraction']:.1%} of the int8 latency under {latency['runtime']} "
            f"({final['ms']:.4g} of {final['whole_ms']:.4g} ms)"
        )
    return (", ".join(left),)
