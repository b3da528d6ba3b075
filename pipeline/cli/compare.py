"""`slimline compare`: finished runs side by side."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipeline.cli.options import artifacts_option, check_place, debug_option, json_option


@click.command()
@click.argument("runs", nargs=-1, metavar="RUN RUN…")
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=check_place,
    metavar="FILE",
    help="Write the comparison as one HTML page, with charts.",
)
@artifacts_option
@json_option
@debug_option
def compare(
    runs: tuple[str, ...], page: Path | None, artifacts: Path, as_json: bool, debug: bool
) -> None:
    """Show RUNs side by side: settings that differ, figures, sizes, training curves.

    RUN is a name that `slimline status` lists, or the path of a run's folder.
    """
    from pipeline.artifacts.files import write_bytes_atomic
    from pipeline.reporting.comparison import build_comparison
    from pipeline.reporting.comparison_html import render_comparison
    from pipeline.reporting.comparison_runs import read_runs
    from pipeline.reporting.comparison_table import format_comparison

    comparison = build_comparison(read_runs(artifacts, runs))
    for warning in comparison["warnings"]:
        click.echo(f"warning: {warning}", err=True)
    if page is not None:
        write_bytes_atomic(page, render_comparison(comparison).encode())
    print(json.dumps(comparison, allow_nan=False) if as_json else format_comparison(comparison))
    if page is not None:
        click.echo(f"page: {page}", err=as_json)
