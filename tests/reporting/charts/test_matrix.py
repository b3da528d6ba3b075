from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from pipeline.reporting.charts.matrix import MAX_COUNTED, MAX_NAMED, matrix_chart


def draw(counts: list[list[int]], names: list[str] | None = None) -> str:
    names = [str(i) for i in range(len(counts))] if names is None else names
    return matrix_chart("k", "t", "d", counts, names)


def test_shades_by_hand() -> None:
    svg = draw([[9, 1], [0, 4]])
    cells = ElementTree.fromstring(svg).findall(".//{*}rect[@fill-opacity]")
    # 0.12 + 0.43 × 0.9, 0.12 + 0.43 × √0.1, and all of a row; the empty cell is not drawn.
    assert [cell.get("fill-opacity") for cell in cells] == ["0.51", "0.26", "0.55"]
    assert [cell.get("class") for cell in cells] == ["cell c1", "cell c2", "cell c1"]
    assert "<title>0 taken for 1: 1 of 10</title>" in svg


def test_cells_fill_the_square() -> None:
    svg = draw([[1, 0], [0, 1]])
    cells = ElementTree.fromstring(svg).findall(".//{*}rect[@fill-opacity]")
    # Names of one letter: 20 + 7.2 + 6 are left of the cells, (400 - 33.2) / 2 is a cell.
    assert [cell.get("x") for cell in cells] == ["33.2", "216.6"]
    assert {cell.get("width") for cell in cells} == {"183.4"}


@pytest.mark.parametrize("size", [1, MAX_COUNTED, MAX_COUNTED + 1, MAX_NAMED + 1, 100])
def test_counts_and_names_where_there_is_room(size: int) -> None:
    counts = [[777 if i == j else 0 for j in range(size)] for i in range(size)]
    svg = draw(counts, [f"class <{i}>" for i in range(size)])
    ElementTree.fromstring(svg)
    assert (">777</text>" in svg) == (size <= MAX_COUNTED)
    assert (">class &lt;0&gt;</text>" in svg) == (size <= MAX_NAMED)


def test_a_class_without_samples_is_an_empty_row() -> None:
    ElementTree.fromstring(draw([[0, 0], [0, 3]]))
