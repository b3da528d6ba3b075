from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from pipeline.reporting.report_charts import draw_charts
from pipeline.reporting.report_json import build_report
from tests.reporting.sample_run import OTHER_TASKS, make_other_run, make_run


def flatten(drawn: Any) -> list[str]:
    """All charts in the nest that draw_charts returns, without captions and what is missing."""
    if isinstance(drawn, str):
        return [drawn] if drawn.startswith("<svg") else []
    inner = (
        drawn.values()
        if isinstance(drawn, dict)
        else drawn
        if isinstance(drawn, list | tuple)
        else []
    )
    return [chart for one in inner for chart in flatten(one)]


def test_all_charts_of_a_full_run_are_sound_xml_with_unique_ids() -> None:
    drawn = flatten(draw_charts(build_report(make_run())))
    # sizes, latency, cost, noise of layers; sensitivity of channels and of layers; sparsity and
    # weights left; 6 trainings; 3 of the search; 2 matrices and the change; layers in two columns.
    assert len(drawn) == 4 + 2 + 2 + 6 + 3 + 3 + 2
    ids = [e.get("id") for c in drawn for e in ElementTree.fromstring(c).iter() if e.get("id")]
    assert len(ids) == len(set(ids)) == 2 * len(drawn)


def test_absent_sections_have_no_charts() -> None:
    charts = draw_charts(build_report(make_run(("data", "train"))))
    assert charts["sizes"] is charts["latency"] is charts["sparsity"] is None
    assert charts["trials"] == {"progress": None, "parallel": None, "importance": None}
    assert charts["weights"]["shown"] == [] and len(charts["training"]) == 1


@pytest.mark.parametrize("task", OTHER_TASKS)
def test_other_tasks_are_drawn_in_their_own_figure(task: str) -> None:
    charts = draw_charts(build_report(make_other_run(task)))
    words = {"regression": "mean absolute error", "reconstruction": "mean squared error"}
    wanted = words.get(task, "accuracy")
    assert wanted in charts["training"][0]
    assert (
        f"{wanted}{'' if wanted == 'accuracy' else ' (lower is better)'}, test" in charts["sizes"]
    )
    assert ("%</text>" in charts["sizes"]) == (wanted == "accuracy")
    assert bool(charts["classes"]["confusions"]) == (task == "binary")
    assert (charts["classes"]["change"] is not None) == (task in ("binary", "multi_label"))
