from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

from pipeline.reporting.report_charts import best_steps, draw_charts, draw_sparsity, draw_training
from pipeline.reporting.report_json import build_report
from tests.reporting.sample_run import make_run


def test_all_charts_of_a_full_run_are_sound_xml_with_unique_ids() -> None:
    charts = draw_charts(build_report(make_run()))
    drawn = [charts[key] for key in ("sizes", "trials", "sparsity", "cost")]
    drawn += [chart for run in charts["training"] for chart in run]
    drawn += [chart for run in charts["schedules"].values() for _, chart in run]
    assert len(drawn) == 4 + 8 + 3
    ids = [e.get("id") for c in drawn for e in ElementTree.fromstring(c).iter() if e.get("id")]
    assert len(ids) == len(set(ids)) == 2 * len(drawn)


def test_absent_sections_have_no_charts() -> None:
    charts = draw_charts(build_report(make_run(("data", "train"))))
    assert charts["sizes"] is charts["trials"] is charts["sparsity"] is None
    assert list(charts["schedules"]) == ["train"]


def test_best_so_far_is_a_staircase() -> None:
    trials = [{"best_so_far": best} for best in (None, 0.5, 0.5, 0.9)]
    assert best_steps(trials) == [(1, None), (2, 0.5), (3, 0.5), (4, 0.5), (4, 0.9)]


def test_training_without_validation_or_with_nan_is_drawn() -> None:
    rows = [{"epoch": 1, "loss": math.nan}, {"epoch": 2, "loss": 0.5, "val_loss": None}]
    charts = draw_training(0, {"title": "Training", "best_epoch": None, "history": rows})
    assert len(charts) == 1 and "validation</text>" not in charts[0]


def test_two_kernels_of_one_layer_are_told_apart() -> None:
    layer = {"layer": "separable", "sparsity": 0.5, "target": None}
    chart = draw_sparsity({"layers": [
        {**layer, "tensor": "separable/depthwise_kernel"},
        {**layer, "tensor": "separable/pointwise_kernel"},
    ]})  # fmt: skip
    assert chart is not None and "<title>separable/depthwise_kernel: 50.0 %</title>" in chart
