"""optimizers.html: the comparison as one file; no script, no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.optimizer_study.cells import candidate_rows, page_rows, paired_text
from pipeline.optimizer_study.charts import draw_curves
from pipeline.reporting.html import template_environment


def render_page(result: Mapping[str, Any], name: str, command: str, created: str) -> str:
    """Renders the comparison as one HTML file.

    Args:
        result: of `run_study`.
        name: of the run.
        command: that makes the page again.
        created: ISO 8601.

    Returns:
        A complete document; names and texts of the user are escaped.
    """
    template = template_environment().get_template("optimizers.html.j2")
    return template.render(
        result=result,
        name=name,
        command=command,
        created=created,
        rows=page_rows(result),
        candidates=candidate_rows(result),
        paired=paired_text(result),
        charts=draw_curves(result),
    )
