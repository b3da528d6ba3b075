from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from pipeline.reporting.charts.lines import Rule, Series, line_chart
from pipeline.reporting.charts.series import split_at_gaps


def draw(*series: Series, **options: object) -> str:
    return line_chart("k", "t", "d", series, x_title="x", y_title="y", **options)  # type: ignore[arg-type]


def test_coordinates_by_hand() -> None:
    # Labels "0" … "10" are two letters wide: the plot starts at 2 * 7.2 + 10 = 24.4 and ends
    # at 400 - 8; without a legend it lies between 29 and 29 + 170.
    svg = draw(Series("s", [(0, 0), (5, 5), (10, 10)]))
    assert re.findall(r'<path d="([^"]*)"', svg) == ["M24.4 199L208.2 114L392 29"]
    assert ElementTree.fromstring(svg).get("viewBox") == "0 0 400 241"


def test_gaps_break_the_path() -> None:
    points = [(0, 0.0), (1, 1.0), (2, math.nan), (3, 1.0), (4, None), (5, 0.0), (6, 1.0)]
    assert split_at_gaps(points) == [[(0, 0.0), (1, 1.0)], [(3, 1.0)], [(5, 0.0), (6, 1.0)]]
    svg = draw(Series("s", points))
    assert svg.count("<path") == 2
    assert svg.count("<circle") == 5


@pytest.mark.parametrize(
    "points",
    [[], [(1, None)], [(1, math.nan)], [(1, 0.5)], [(1, 0.5), (2, 0.5)], [(1, math.inf), (2, 1.0)]],
)
def test_odd_series_do_not_break_it(points: list[tuple[float, float | None]]) -> None:
    svg = draw(Series("s", points), rules=[Rule(1, "best: 1")])
    ElementTree.fromstring(svg)
    assert "nan" not in svg and "inf<" not in svg
    finite = any(y is not None and math.isfinite(y) for _, y in points)
    assert ("no finite values" in svg) is not finite


def test_rule_stands_at_its_epoch_with_its_word_inside() -> None:
    svg = draw(Series("s", [(0, 0), (10, 10)]), rules=[Rule(10, "best: 10")])
    assert '<line x1="392" y1="23" x2="392" y2="199" class="rule"/>' in svg
    assert re.search(r'<text x="388" y="15" text-anchor="end" class="tick">best: 10<', svg)


def test_legend_only_for_several_curves() -> None:
    one, two = Series("train", [(0, 0)]), Series("validation", [(0, 1)], 2, dashed=True)
    assert 'class="legend"' not in draw(one)
    assert draw(one, two).count('class="legend"') == 2


def test_from_zero() -> None:
    assert ">0.0</text>" not in draw(Series("s", [(0, 0.5), (1, 0.5)]))
    assert ">0</text>" in draw(Series("s", [(0, 0.5), (1, 0.5)]), from_zero=True)


def test_long_curves_have_no_discs() -> None:
    assert "<circle" not in draw(Series("s", [(x, x) for x in range(41)]))
