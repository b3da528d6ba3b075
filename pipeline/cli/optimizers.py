"""`slimline optimizers`: the same training with several optimizers, over several seeds."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.options import RunOptions, check_place, run_options


@click.command()
@run_options
@click.option(
    "--optimizer",
    "names",
    multiple=True,
    metavar="NAME",
    help='As in train.optimizer: sgd, or "{name: sgd, momentum: 0.9}"; repeat for each one.',
)
@click.option(
    "--seeds", type=int, default=5, show_default=True, help="Trainings of each optimizer."
)
@click.option(
    "--learning-rate",
    "rates",
    multiple=True,
    metavar="NAME=RATE",
    help="Learning rate of one optimizer; repeatable.  [default: the configuration's]",
)
@click.option("--tune", type=int, metavar="N", help="Search the rates not given among N for each.")
@click.option(
    "--tune-range",
    type=(float, float),
    metavar="LOW HIGH",
    default=(1e-4, 1.0),
    show_default=True,
    help="Lowest and highest rate of --tune.",
)
@click.option("--target-loss", type=float, help="Validation loss that counts as converged.")
@click.option("--epochs", type=int, help="Of each training.  [default: train.epochs]")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=check_place,
    help="Where the page goes.  [default: in the run's folder]",
)
def optimizers(
    options: RunOptions,
    names: tuple[str, ...],
    seeds: int,
    rates: tuple[str, ...],
    tune: int | None,
    tune_range: tuple[float, float],
    target_loss: float | None,
    epochs: int | None,
    page: Path | None,
) -> None:
    """Compare optimizers on the model and data of CONFIG.

    Convergence, generalization and cost, with intervals over seeds; all on validation data.
    """
    from pipeline.cli.execute import compare_and_show

    compare_and_show(
        options,
        page,
        optimizers=names,
        seeds=seeds,
        learning_rates=rates,
        trials=tune,
        rate_range=tune_range,
        target_loss=target_loss,
        epochs=epochs,
    )
