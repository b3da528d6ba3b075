"""tune: hyperparameter search; the winner, trained in full, replaces the model if it is better."""

from __future__ import annotations

from typing import Any

from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_input_model, load_splits


def check(config: Config) -> None:
    """Refuses, when planned, a search space whose values the configuration would refuse."""
    from pipeline.tuning.space import check_space

    check_space(config, config.tune.search_space)


def run(config: Config, context: Context) -> StageResult:
    """Searches as `tune` says; every choice is made on the validation split."""
    from pipeline.models.digest import model_digest
    from pipeline.models.files import save_model
    from pipeline.tuning.search import search
    from pipeline.tuning.winner import is_better, retrain_winner

    data = load_splits(config, context, "train", "validation")
    found = search(config, data, context.seed, context.work / "search", context.progress)
    model, result = retrain_winner(
        config,
        found.best,
        data,
        context.seed,
        context.work / "winner",
        context.output,
        context.progress,
    )
    baseline = _validation_before(context)
    replaced = is_better(config.tune.objective, result.validation, baseline)
    if not replaced:
        model = load_input_model(context)
    save_model(model, context.output / MODEL_FILE)
    return StageResult(
        {
            "algorithm": config.tune.algorithm,
            "objective": config.tune.objective,
            "trials": found.trials,
            "best_trial": found.best_trial,
            "hyperparameters": found.best,
            "replaced": replaced,
            "baseline": baseline,
            "winner": result.validation,
            "validation": result.validation if replaced else baseline,
            "parameters": model.count_params(),
            "history": result.history,
            "best_epoch": result.best_epoch,
            "seconds": result.seconds,
        },
        model_digest(model),
        (_verdict(replaced, baseline, result.validation, config.tune.objective),),
    )


def _validation_before(context: Context) -> dict[str, Any] | None:
    """Returns the validation figures of the model that was there before, if any was."""
    if not context.inputs["model"]:
        return None
    return dict(context.input("model").metrics["validation"])


def _verdict(
    replaced: bool, baseline: dict[str, Any] | None, winner: dict[str, Any], objective: str
) -> str:
    name = objective.removeprefix("val_")
    if baseline is None:
        return f"the winner's {objective} is {winner[name]:.4f}"
    words = "replaces" if replaced else "does not beat"
    return (
        f"the winner ({objective} {winner[name]:.4f}) {words} "
        f"the trained model ({baseline[name]:.4f})"
    )
