"""`slimline options`: what can be configured, told by the configuration models themselves."""

from __future__ import annotations

import json

import click

from pipeline.cli.options import debug_option, json_option


@click.command()
@click.argument("section", default="")
@json_option
@debug_option
def options(section: str, as_json: bool, debug: bool) -> None:
    """Show keys, types, ranges, defaults and meanings of SECTION.

    SECTION is a path such as train, train.optimizer or model.mlp; none shows all sections.
    """
    from pipeline.cli import options_page
    from pipeline.config.describe import describe

    found = describe(section)
    print(json.dumps(options_page.as_json(found)) if as_json else options_page.page(found))
