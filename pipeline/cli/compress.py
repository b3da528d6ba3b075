"""`slimline compress`: a model of one's own, made small in one command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipeline.cli.options import artifacts_option, debug_option, json_option


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--data", help="x.npz with labels, a folder of images, digits, keras:NAME, …")
@click.option("--calibration", help="x.npy without labels: int8 by parity alone, no training.")
@click.option(
    "--sparsity", type=float, help="Part of the weights to set to zero; 0: none.  [default: 0.5]"
)
@click.option(
    "--scheme",
    type=click.Choice(["int8", "int16x8", "int8x4", "dynamic_range", "float16", "int4", "int2"]),
    default="int8",
    show_default=True,
)
@click.option(
    "--max-accuracy-drop", type=float, help="On validation data; training is tried, else exit 9."
)
@click.option("--task", help="What the model answers.  [default: as the model tells]")
@click.option("--epochs", type=click.IntRange(1), help="Of fine-tuning.  [default: by samples]")
@click.option("--name", help="Name of the run.  [default: the model's file name]")
@click.option(
    "--custom-objects", metavar="MODULE", help="With layers of your own; its code is run."
)
@artifacts_option
@json_option
@debug_option
def compress(as_json: bool, debug: bool, **asked: Any) -> None:
    """Compress MODEL, a .keras or .h5 file: prune, quantize, export, prove.

    Writes artifacts/NAME/recipe.yaml, which `slimline run` takes to go on from there.
    """
    from pipeline.cli import execute

    execute.compress_and_show(as_json, **asked)
