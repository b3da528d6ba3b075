from __future__ import annotations

import math

import pytest

from pipeline.reporting import units


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (12_100, "12.1 KB"), (999_949, "999.9 KB"),
     (999_960, "1.0 MB"), (3_400_000, "3.4 MB"), (2.5e9, "2.5 GB"), (None, "–"),
     (math.nan, "–")],
)  # fmt: skip
def test_format_bytes(count: float | None, text: str) -> None:
    assert units.format_bytes(count) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999_999, "999,999"),
        (1_000_000, "1.0 M"),
        (300_774_272, "300.8 M"),
        (999_960_000, "1.0 G"),
        (3_100_000_000, "3.1 G"),
    ],
)
def test_format_count(count: int, text: str) -> None:
    assert units.format_count(count) == text


def test_format_percent() -> None:
    assert units.format_percent(0.985) == "98.5 %"
    assert units.format_percent(0.98512, 2) == "98.51 %"
    assert units.format_percent(None) == "–"


@pytest.mark.parametrize(
    ("samples", "decimals"),
    [(None, 1), (10, 1), (360, 1), (1000, 1), (1797, 2), (10_000, 2), (60_000, 3)],
)
def test_accuracy_decimals(samples: int | None, decimals: int) -> None:
    assert units.accuracy_decimals(samples) == decimals
    if samples is not None and samples >= 360:
        # One sample more changes the last digit shown.
        assert 100 / samples >= 0.5 * 10**-decimals


@pytest.mark.parametrize(
    ("difference", "text"), [(-0.0111, "−1.1"), (0.003, "+0.3"), (0.0, "0.0"), (-0.0001, "0.0")]
)
def test_format_points(difference: float, text: str) -> None:
    assert units.format_points(difference) == text


@pytest.mark.parametrize(
    ("ratio", "text"), [(1, "1.0×"), (10.37, "10.4×"), (99.96, "100×"), (None, "–")]
)
def test_format_ratio(ratio: float | None, text: str) -> None:
    assert units.format_ratio(ratio) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.42, "0.42 s"), (34.06, "34.1 s"), (59.96, "1 min 00 s"), (245, "4 min 05 s"),
     (4320, "1 h 12 min"), (None, "–")],
)  # fmt: skip
def test_format_seconds(seconds: float | None, text: str) -> None:
    assert units.format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0.01234, "0.0123 ms"), (1.254, "1.25 ms"), (1340.2, "1,340 ms")]
)
def test_format_milliseconds(milliseconds: float, text: str) -> None:
    assert units.format_milliseconds(milliseconds) == text


@pytest.mark.parametrize(
    ("p_value", "text"),
    [(0.0004, "p < 0.001"), (0.0312, "p = 0.031"), (0.21875, "p = 0.22"), (1.0, "p = 1.00")],
)
def test_format_probability(p_value: float, text: str) -> None:
    assert units.format_probability(p_value) == text


def test_format_figure() -> None:
    values = [None, True, 37994, 0.00012346, math.inf, [1, 2.5], "relu"]
    shown = ["–", "yes", "37,994", "0.0001235", "–", "1, 2.5", "relu"]
    assert [units.format_figure(value) for value in values] == shown
