from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest

from pipeline.reporting.charts.drawing import Plot
from pipeline.reporting.charts.scatter import Dot, overlaps, place_name, scatter_chart, short_bytes


def draw(*dots: Dot) -> str:
    return scatter_chart(
        "k", "t", "d", dots, x_title="bytes", y_title="accuracy", disc_name="gzip", ring_name="raw"
    )


def test_coordinates_by_hand() -> None:
    # y: 0.9 … 1.0 by 0.02 in steps named "100 %": the plot starts at 5 * 7.2 + 10 = 46 and lies
    # between 17 + 29 and 46 + 230; 0.95 is in the middle. x: two sizes lie symmetrically.
    svg = draw(Dot("a", 1_000, None, 0.95, 0.9, 1.0), Dot("b", 100_000, None, 0.95, 0.9, 1.0))
    circles = ElementTree.fromstring(svg).findall(".//{*}circle[@r='5']")
    assert [circle.get("cy") for circle in circles] == ["161", "161"]
    xs = [float(circle.get("cx") or 0) for circle in circles]
    assert sum(xs) == pytest.approx(46 + 392, abs=0.02)
    # 6 % of the logarithmic range is left free at each end: 0.06 / 1.12 of 346 units.
    assert xs[0] == pytest.approx(46 + 346 * 0.06 / 1.12, abs=0.01)
    assert f'y1="46" x2="{xs[0]}' in svg.replace(".00", "")


def test_ring_and_link_only_with_a_second_size() -> None:
    assert 'class="ring c1"' not in draw(Dot("a", 1000, None, 0.9))
    svg = draw(Dot("a", 1000, 4000, 0.9))
    assert svg.count('class="ring c1"') == 2 and svg.count('class="link c1"') == 1


@pytest.mark.parametrize(
    "dots",
    [
        [],
        [Dot("a", 1000, 2000, None)],
        [Dot("a", 1000, 2000, math.nan, 0.1, 0.2)],
        [Dot("a", 0, 0, 0.5)],
        [Dot("a", 1000, 1000, 1.0, 1.0, 1.0)],
        [Dot("a", 1000, 1000, 0.5, None, math.nan)] * 3,
    ],
)
def test_odd_points_do_not_break_it(dots: list[Dot]) -> None:
    svg = draw(*dots)
    ElementTree.fromstring(svg)
    assert "nan" not in svg


def test_names_avoid_each_other_and_the_edge() -> None:
    plot = Plot(40, 40, 392, 270)
    first = place_name(50, 200, 150, plot, [])
    second = place_name(50, 200, 150, plot, [first])
    assert not overlaps(first, second)
    assert place_name(50, 390, 150, plot, [])[2] <= 390


def test_short_bytes() -> None:
    assert [short_bytes(20_000), short_bytes(500), short_bytes(1e6)] == ["20 KB", "500 B", "1 MB"]
