"""`slimline status`, `slimline show` and `slimline clean`: what is there, and what may go."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipeline.cli.options import artifacts_option, debug_option, json_option


@click.command()
@click.argument("run", required=False)
@artifacts_option
@json_option
@debug_option
def status(run: str | None, artifacts: Path, as_json: bool, debug: bool) -> None:
    """List the runs, or the stages of RUN."""
    from pipeline.cli import overview

    rows = overview.list_stages(artifacts, run) if run else overview.list_all_runs(artifacts)
    print(json.dumps(rows) if as_json else overview.format_rows(rows))


@click.command()
@click.argument("run")
@artifacts_option
@json_option
@debug_option
def show(run: str, artifacts: Path, as_json: bool, debug: bool) -> None:
    """Show the figures of RUN."""
    from pipeline.cli import overview

    record = overview.describe_run(artifacts, run)
    print(json.dumps(record) if as_json else overview.format_run(record))


@click.command()
@artifacts_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@debug_option
def clean(artifacts: Path, yes: bool, as_json: bool, debug: bool) -> None:
    """Delete results that no run links to, and interrupted work; asks first."""
    from pipeline.artifacts.clean import find_reclaimable, reclaim
    from pipeline.artifacts.store import Store
    from pipeline.cli import overview

    store = Store(artifacts)
    items = find_reclaimable(store)
    click.echo(overview.format_reclaimable(items), err=as_json)
    if items and not yes and not click.confirm("Delete them?", err=True):
        items = []
    freed = reclaim(store, items)
    if as_json:
        print(json.dumps({"deleted": len(items), "freed_bytes": freed}))
