"""`slimline check`: what will happen to each layer of a model, before any work."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.options import debug_option, json_option, set_option


@click.command()
@click.argument("source", metavar="MODEL|CONFIG", type=click.Path(path_type=Path))
@click.option(
    "--custom-objects",
    metavar="PACKAGE.MODULE",
    help="Module with the model's own layers and functions; its code runs.",
)
@set_option
@json_option
@debug_option
def check(
    source: Path,
    custom_objects: str | None,
    overrides: tuple[str, ...],
    as_json: bool,
    debug: bool,
) -> int:
    """Tell what will happen to each layer, all obstacles at once, before any work.

    MODEL is a .keras or .h5 file; CONFIG is a YAML file, whose stages are then held to its model.

    Exit code 0: a .tflite can be made of MODEL, or every stage of CONFIG can do its work; 9: not.
    """
    from pipeline.cli.check_page import check_and_show

    return check_and_show(source, custom_objects, overrides, as_json)
