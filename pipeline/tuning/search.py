"""A search: checked, named by its digest, run on its ledger, summed up."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import sha256_json
from pipeline.config.load import as_plain_data
from pipeline.config.search_space import ChoiceSpace
from pipeline.config.substitution import substitute
from pipeline.errors import ConfigError
from pipeline.tuning.crew import Crew
from pipeline.tuning.ledger import Ledger
from pipeline.tuning.live import LiveView
from pipeline.tuning.loop import SearchLoop
from pipeline.tuning.objective import check_constraints, rule_of
from pipeline.tuning.oracle import Proposer
from pipeline.tuning.proposals import Proposals
from pipeline.tuning.result import FruitlessSearchError, SearchResult, summarize
from pipeline.tuning.space import check_space
from pipeline.tuning.steps import sections_read, steps_of

if TYPE_CHECKING:
    from pipeline.config.schema import Config
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress

FORMAT = 2
LEDGER = "ledger.jsonl"
FAILED = "failed.jsonl"


def search(
    config: Config,
    data: PreparedData,
    seed: int,
    work: Path,
    progress: Progress,
    crew: Crew,
    baseline: Mapping[str, Any] | None = None,
) -> SearchResult:
    """Searches config.tune.search_space for the best objective on the validation split.

    Killed and called again it goes on: the ledger's trials are proposed again by a fresh oracle,
    which is told their scores when it was told them before; those that ran continue from their
    last epoch. Another space, other settings or another seed are another search, in a folder of
    its own.

    Args:
        config: the whole configuration; `tune` says what is searched, the rest is the base.
        data: with the splits train and validation.
        seed: of the proposals and of every trial; 0 is 0.
        work: folder for the ledger and the trials' checkpoints; survives a kill.
        progress: shows one bar over the trials, and a table.
        crew: does the trials; the caller closes it.
        baseline: of the model before tune: "digest" of its weights, and its validation figures.

    Returns:
        All trials, and the best.

    Raises:
        ConfigError: the space is not possible (before the first trial).
        DataError, ArtifactError: no validation data; a ledger that does not fit.
        FruitlessSearchError: every trial failed, or the first ones alike; with the first cause.
        TrainingError: a worker could not start; what is in the ledger stays.
        PromiseError: no trial keeps the constraints.
    """
    check_space(config, config.tune.search_space)
    check_constraints(config)
    if len(data.validation) == 0:
        raise ConfigError(
            f"tune.objective {config.tune.objective} needs validation samples, received none"
        )
    check_architectures(config, data)
    rule = rule_of(config, baseline)
    digest = search_digest(config, data, seed, baseline)
    folder = work / digest[:16]
    ledger = Ledger(folder / LEDGER, digest)
    with tempfile.TemporaryDirectory(prefix="slimline-oracle-") as scratch:
        proposer = Proposer(config.tune, seed, Path(scratch))
        view = LiveView(progress, rule, proposer.total, _whole_epochs(config))
        proposals = Proposals(config.tune, ledger, proposer, rule, crew.size)
        loop = SearchLoop(config, seed, folder, ledger, proposals, crew, view)
        try:
            loop.run()
            return summarize(list(ledger.trials.values()), rule)
        except FruitlessSearchError:
            # Nothing came of it: kept to be read, out of the way of the next attempt.
            (folder / LEDGER).replace(folder / FAILED)
            raise
        finally:
            progress.end()


def check_architectures(config: Config, data: PreparedData) -> None:
    """Refuses an architecture of the space that cannot take samples of this shape.

    Raises:
        ConfigError: naming it, the shape received and the shape needed.
    """
    from pipeline.models.build import check_input_dtype, check_input_shape

    space = config.tune.search_space.get("model.architecture")
    for name in space.choice if isinstance(space, ChoiceSpace) else ():
        model = substitute(config, {"model.architecture": name}).model
        try:
            check_input_shape(model, data.input_shape)
            check_input_dtype(model, data.input_dtype)
        except ConfigError as error:
            raise ConfigError(f"tune.search_space.model.architecture: {error}") from error


def search_digest(
    config: Config, data: PreparedData, seed: int, baseline: Mapping[str, Any] | None = None
) -> str:
    """Returns the hex SHA-256 of what makes a search what it is."""
    whole: Any = as_plain_data(config)
    parts = {}
    for path in ("tune", "model", "train", *sections_read(config)):
        value = whole
        for key in path.split("."):
            value = value[key]
        parts[path] = value
    return sha256_json(
        {
            "format": FORMAT,
            "config": parts,
            "samples": {name: len(split) for name, split in data.splits.items()},
            "input_shape": list(data.input_shape),
            "task": data.task.to_json(),
            "baseline": None if baseline is None else dict(baseline),
            "seed": seed,
        }
    )


def _whole_epochs(config: Config) -> int:
    steps = steps_of(config)
    epochs = config.tune.epochs if steps.trains else 0
    epochs += config.prune.epochs if steps.prunes else 0
    return epochs + (config.quantize.fine_tuning.epochs if steps.quantizes else 0)
