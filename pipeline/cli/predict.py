"""`slimline predict`: a shipped file, run on raw input."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.options import check_place, debug_option, json_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--input",
    "inputs",
    multiple=True,
    required=True,
    metavar="INPUT",
    help='x.npy, rows.csv, text.txt, image.png, or "some text"; repeatable.',
)
@click.option(
    "--top", type=click.IntRange(1), default=3, show_default=True, help="Labels told per sample."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=check_place,
    help="Write the raw outputs there, as .npy.",
)
@json_option
@debug_option
def predict(
    file: Path,
    inputs: tuple[str, ...],
    top: int,
    output: Path | None,
    as_json: bool,
    debug: bool,
) -> None:
    """Run FILE, a .tflite with its sidecar beside it, on raw input.

    A table on a terminal, fields between tabs in a pipe.
    """
    from pipeline.cli.predict_page import run_and_show

    run_and_show(file, inputs, top, output, as_json)
