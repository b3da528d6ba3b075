"""`slimline run`, and a command for each stage."""

from __future__ import annotations

from collections.abc import Iterable

import click

from pipeline.cli.options import RunOptions, force_option, run_options, workers_option

# Named here as well, so that --help imports no configuration: test_run.py compares.
STAGE_HELP = {
    "train": "Train the model.",
    "tune": "Search hyperparameters; keep the winner if it is better.",
    "distill": "Let a smaller network learn from the model before it.",
    "narrow": "Remove whole filters and units, and fine-tune what is left.",
    "prune": "Set small weights to zero while fine-tuning.",
    "cluster": "Let the weights of each kernel share few values.",
    "quantize": "Make .tflite files with fewer bits.",
    "export": "Write the bundle to deploy, every file run and compared.",
    "evaluate": "Measure each file on the test split and on this machine.",
    "report": "Write report.html and report.json.",
}


@click.command()
@run_options
@click.option("--from", "first", metavar="STAGE", help="Take what comes before as it is.")
@click.option("--to", "last", metavar="STAGE", help="Stop after this stage.")
@force_option
@workers_option
@click.option("--dry-run", is_flag=True, help="Show what would be run, and why; change nothing.")
def run(
    options: RunOptions,
    first: str | None,
    last: str | None,
    force: tuple[str, ...],
    workers: int,
    dry_run: bool,
) -> None:
    """Run the chain of CONFIG: what is fresh is kept, the rest is made.

    CONFIG is a YAML file, such as configs/digits.yaml.
    """
    from pipeline.cli import execute

    if dry_run:
        execute.show_plan(options, first, last, force)
    else:
        execute.run_and_show(options, first, last, force, workers)


def stage_commands() -> Iterable[click.Command]:
    """Makes `slimline train`, `slimline prune`, …"""
    return [_stage_command(stage, words) for stage, words in STAGE_HELP.items()]


def _stage_command(stage: str, words: str) -> click.Command:
    @click.command(stage, help=f"{words}\n\nWorks on what the stages before it left.")
    @run_options
    @click.option("--force", is_flag=True, help="Run it even if it is fresh.")
    def command(options: RunOptions, force: bool, workers: int = 1) -> None:
        from pipeline.cli import execute

        execute.run_and_show(options, stage, stage, (stage,) if force else (), workers)

    if stage == "tune":
        workers_option(command)
    return command
