"""tune: hyperparameter search; the winner, trained in full, replaces the model if it is better."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from pipeline.config.load import as_plain_data
from pipeline.config.schema import Config
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import MODEL_FILE, load_input_model, load_splits

if TYPE_CHECKING:
    from pipeline.tuning.crew import Crew
    from pipeline.tuning.result import SearchResult
    from pipeline.tuning.task import TrialInputs
    from pipeline.tuning.winner import Contender, Judge


def check(config: Config) -> None:
    """Refuses, when planned, a search space whose values the configuration would refuse."""
    from pipeline.tuning.objective import check_constraints
    from pipeline.tuning.space import check_space

    check_space(config, config.tune.search_space)
    check_constraints(config)


def reads(config: Config) -> tuple[str, ...]:
    """Returns the sections of later stages that the trials reach into."""
    from pipeline.tuning.steps import sections_read

    return sections_read(config)


def run(config: Config, context: Context) -> StageResult:
    """Searches as `tune` says; every choice is made on the validation split."""
    from pipeline.models.digest import model_digest
    from pipeline.models.files import load_model, save_model
    from pipeline.tuning.objective import rule_of
    from pipeline.tuning.search import search
    from pipeline.tuning.steps import steps_of
    from pipeline.tuning.task import TrialInputs
    from pipeline.tuning.winner import Judge, overrides_of

    data = load_splits(config, context, "train", "validation")
    before = _validation_before(context)
    base = context.input("model").file(MODEL_FILE) if before is not None else None
    inputs = TrialInputs(data, base, context.converter)
    steps = steps_of(config)
    baseline = None if before is None else {"digest": context.input("model").digest, **before}
    with contextlib.closing(_crew(config, context, inputs)) as crew:
        found = search(
            config, data, context.seed, context.work / "search", context.progress, crew, baseline
        )
    rule = rule_of(config, before)
    judge = Judge(config, steps, rule, inputs, context.seed, context.work, context.progress)
    winner = _winner(config, context, found, judge)
    held = None if before is None else judge.judge_before(before)
    replaced = judge.choose(winner, held)
    if winner.training is None or not replaced:
        save_model(load_input_model(context), context.output / MODEL_FILE)
    model = load_model(context.output / MODEL_FILE)
    overrides = overrides_of(found.best) if replaced else {}
    metrics = _metrics(config, found, winner, held, replaced)
    metrics |= {"workers": context.workers, "baseline": before, "overrides": overrides}
    metrics["parameters"] = model.count_params()
    verdict = _verdict(config, replaced, held, winner, overrides)
    return StageResult(metrics, model_digest(model), (*judge.notes, *verdict))


def _metrics(
    config: Config, found: SearchResult, winner: Contender, held: Contender | None, replaced: bool
) -> dict[str, Any]:
    training = winner.training
    return {
        "algorithm": config.tune.algorithm,
        "objective": config.tune.objective,
        "constraints": config.tune.constraints.given(),
        "trials": found.trials,
        "best_trial": found.best_trial,
        "hyperparameters": found.best,
        "replaced": replaced,
        "winner": winner.validation,
        "figures": {
            "baseline": None if held is None else held.figures,
            "winner": winner.figures,
        },
        "validation": winner.validation if replaced or held is None else held.validation,
        "history": [] if training is None else training.history,
        "best_epoch": 0 if training is None else training.best_epoch,
        "seconds": 0.0 if training is None else training.seconds,
    }


def _crew(config: Config, context: Context, inputs: TrialInputs) -> Crew:
    """Returns who does the trials: this process, or as many workers as were asked for."""
    from pipeline.tuning.crew import OwnProcess
    from pipeline.tuning.pool import WorkerPool
    from pipeline.tuning.trial import run_trial
    from pipeline.tuning.worker import setup_for

    if context.workers == 1:
        return OwnProcess(run_trial, inputs)
    folder = context.input("data").path
    setup = setup_for(as_plain_data(config), context.seed, folder, inputs.base_model)
    return WorkerPool(context.workers, setup)


def _winner(config: Config, context: Context, found: SearchResult, judge: Judge) -> Contender:
    """Trains the winner in full and measures it; without training it is what its trial was."""
    from pipeline.models.files import save_model
    from pipeline.tuning.winner import Contender, retrain_winner

    if not judge.steps.trains:
        validation = _validation_before(context)
        assert validation is not None  # check_space: its trials begin with the model before
        return Contender(validation, found.figures)
    model, result = retrain_winner(
        config,
        found.best,
        judge.inputs,
        context.seed,
        context.work / "winner",
        context.output,
        context.progress,
    )
    save_model(model, context.output / MODEL_FILE)
    return judge.judge_winner(found, result, context.output / MODEL_FILE)


def _validation_before(context: Context) -> dict[str, Any] | None:
    """Returns the validation figures of the model that was there before, if any was."""
    if not context.inputs["model"]:
        return None
    return dict(context.input("model").metrics["validation"])


def _verdict(
    config: Config,
    replaced: bool,
    held: Contender | None,
    winner: Contender,
    overrides: dict[str, Any],
) -> tuple[str, ...]:
    """Says in a line or two what came of the search."""
    name = config.tune.objective
    figure = f"{winner.figures[name]:.5g}"
    if held is None:
        notes = [f"the winner's {name} is {figure}"]
    else:
        words = "replaces" if replaced else "does not beat"
        notes = [f"the winner ({name} {figure}) {words} what was before ({held.figures[name]:.5g})"]
    if overrides:
        values = ", ".join(f"{path} = {value}" for path, value in overrides.items())
        notes.append(f"later stages use {values}")
    return tuple(notes)
