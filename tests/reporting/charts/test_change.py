from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

from pipeline.reporting.charts.change import Change, change_chart


def draw(*changes: Change, better: bool = True) -> str:
    return change_chart(
        "k", "t", "d", changes, x_title="recall", before_name="float", after_name="int8",
        higher_is_better=better,
    )  # fmt: skip


def test_a_loss_and_a_gain_have_their_colours() -> None:
    svg = draw(Change("a", 0.9, 0.8, "−10.0"), Change("b", 0.8, 0.9, "+10.0"))
    lines = [e.get("class") for e in ElementTree.fromstring(svg).findall(".//{*}line")]
    assert [kind for kind in lines if kind and kind.startswith("error")] == ["error c2", "error c3"]
    down = draw(Change("a", 0.9, 0.8, "−0.1"), better=False)
    assert 'class="error c3"' in down and 'class="error c2"' not in down


def test_places_by_hand() -> None:
    # From 0.8 to 1.0; left of it a name of one letter and 14, right of it "−10.0" and 14.
    svg = draw(Change("a", 1.0, 0.8, "−10.0"))
    circles = ElementTree.fromstring(svg).findall(".//{*}circle[@r]")[-2:]
    assert [circle.get("cx") for circle in circles] == ["350", "21.2"]


def test_missing_values_and_names_are_safe() -> None:
    svg = draw(Change("<x>", None, math.nan, "–"), Change("y", None, 0.5, "50 %"))
    ElementTree.fromstring(svg)
    assert "&lt;x&gt;" in svg
