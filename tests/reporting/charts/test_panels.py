from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

from pipeline.reporting.charts.panels import Panel, panel_chart
from pipeline.reporting.charts.series import Rule, Series


def draw(*panels: Panel, **options: object) -> str:
    return panel_chart("k", "t", "d", panels, x_title="epoch", **options)  # type: ignore[arg-type]


def test_panels_share_the_horizontal_axis() -> None:
    first = Panel("loss", [Series("a", [(0, 0.0), (10, 10.0)])])
    second = Panel("rate", [Series("b", [(0, 0.0), (5, 10.0)])], 62.0)
    svg = draw(first, second)
    # 170 high from 29; then 34 of gap, and the second 62 high.
    assert re.findall(r'<path d="([^"]*)"', svg) == ["M24.4 199L392 29", "M24.4 295L208.2 233"]
    assert svg.count(">epoch</text>") == 1
    assert ElementTree.fromstring(svg).get("viewBox") == "0 0 400 337"


def test_a_rule_crosses_all_panels_and_is_named_once() -> None:
    panels = [Panel(name, [Series(name, [(0, 1.0), (4, 2.0)])]) for name in "ab"]
    svg = draw(*panels, rules=[Rule(2, "best: 2")])
    assert svg.count('class="rule"') == 2 and svg.count("best: 2") == 1


def test_the_legend_names_the_curves_of_panels_with_several() -> None:
    pair = [Series("training", [(0, 1.0)]), Series("validation", [(0, 2.0)], dashed=True)]
    svg = draw(
        Panel("loss", pair), Panel("accuracy", pair), Panel("rate", [Series("r", [(0, 1.0)])])
    )
    assert svg.count(">training</text>") == 1 and ">r</text>" not in svg


def test_a_logarithmic_panel_leaves_out_what_has_no_logarithm() -> None:
    points = [(0, 100.0), (1, 0.0), (2, -1.0), (3, math.nan), (4, 1.0), (5, 10.0)]
    svg = draw(Panel("loss", [Series("s", points)], logarithmic=True))
    ElementTree.fromstring(svg)
    assert svg.count("<circle") == 3


def test_a_band_lies_around_its_curve() -> None:
    band = [(0, 0.0, 2.0), (10, 4.0, 10.0), (12, None, 1.0)]
    svg = draw(Panel("loss", [Series("s", [(0, 1.0), (10, 7.0)], 3, band=band)]))
    paths = re.findall(r'<path d="([^"]*)" class="band c3"', svg)
    assert len(paths) == 1 and paths[0].endswith("Z") and paths[0].count("L") == 3
    curve = Series("s", [(0, 1.0), (1, 2.0)], band=[(0, -1.0, 2.0), (1, 1.0, 3.0)])
    ElementTree.fromstring(draw(Panel("loss", [curve], logarithmic=True)))
