"""What becomes of the winner: its full training, and whether it is better than what there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.load import apply_overrides
from pipeline.tuning.oracle import DIRECTIONS
from pipeline.tuning.trial import build_fresh_model

if TYPE_CHECKING:
    import keras

    from pipeline.config.schema import Config
    from pipeline.data.prepared import PreparedData
    from pipeline.progress import Progress
    from pipeline.training.fit import FitResult


def retrain_winner(
    config: Config,
    hyperparameters: Mapping[str, Any],
    data: PreparedData,
    seed: int,
    work: Path,
    output: Path,
    progress: Progress,
) -> tuple[keras.Model, FitResult]:
    """Trains the configuration with the winner's values for all of train.epochs.

    Args:
        config: the base configuration.
        hyperparameters: SearchResult.best.
        data: with the splits train and validation.
        seed: of the weights and of the order of samples.
        work: folder of its checkpoints; a killed call goes on, bit for bit.
        output: folder for history.csv, schedule.csv and tensorboard/.
        progress: shows one bar over the epochs.

    Returns:
        The model with the weights to keep, and the figures of its training.
    """
    from pipeline.training.fit import fit

    winner = apply_overrides(config, hyperparameters)
    model = build_fresh_model(winner, data, seed)
    result = fit(model, data, winner.train, seed, work, output, progress, label="retrain")
    return model, result


def is_better(
    objective: str, winner: Mapping[str, float], baseline: Mapping[str, float] | None
) -> bool:
    """Tells whether the winner's validation figures beat the baseline's; equal is not better.

    Args:
        objective: "val_accuracy" or "val_loss".
        winner: {"loss", "accuracy"} on the validation split.
        baseline: the same of the model there was; None if there was none.
    """
    if baseline is None:
        return True
    figure = objective.removeprefix("val_")
    if DIRECTIONS[objective] == "max":
        return winner[figure] > baseline[figure]
    return winner[figure] < baseline[figure]
