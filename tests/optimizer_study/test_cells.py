"""The figures of a comparison as a person reads them."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.optimizer_study.cells import (
    bracketed,
    candidate_rows,
    milliseconds,
    page_rows,
    percentage,
    plain,
    plus_minus,
    target_cell,
    terminal_table,
)
from tests.optimizer_study.sample_result import sample_result


def test_means_with_their_intervals() -> None:
    found = {"mean": 0.981, "interval": [0.972, 0.99], "values": []}
    assert bracketed(found, percentage) == "98.1 % [97.2, 99.0]"
    assert plus_minus(found, percentage) == "98.1 ±0.9 %"
    loss = {"mean": 0.07123, "interval": [0.00012, 0.14234]}
    assert bracketed(loss, plain) == "0.0712 [1e-04, 0.14]"
    assert plus_minus({"mean": 0.5, "interval": None}, plain) == "0.5"
    assert plus_minus({"mean": 0.002, "interval": [0.001, 0.003]}, milliseconds) == "2 ±1 ms"
    assert bracketed(None, plain) == plus_minus(None, plain) == "–"


@pytest.mark.parametrize(
    ("reached", "text"), [(0, "not reached"), (2, "2 of 3"), (3, "4.0 [3.0, 5.0]")]
)
def test_a_target_that_not_all_reach_is_counted(reached: int, text: str) -> None:
    epochs = {"mean": 4.0, "interval": [3.0, 5.0]} if reached == 3 else None
    target = {"reached": reached, "of": 3, "epochs": epochs}
    assert target_cell(target, "epochs", bracketed, lambda value: f"{value:.1f}") == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.07123, "0.0712"), (0.0, "0"), (0.00012, "1.2e-04"), (-0.5, "-0.5")]
)
def test_plain_figures(value: float, text: str) -> None:
    assert plain(value) == text


def test_the_table_fits_a_terminal_and_says_what_it_means() -> None:
    text = terminal_table(sample_result())
    lines = text.splitlines()
    assert lines[0].split() == [
        "optimizer", "rate", "val", "loss", "accuracy", "gap", "epochs*", "time*", "step", "state",
    ]  # fmt: skip
    assert max(map(len, lines)) <= 100
    assert "not reached" in text
    assert "* to validation loss 0.29" in text
    assert "mean ± half of the 95 % interval over 3 seeds" in text
    assert "note: 3 seeds only" in text
    assert "validation loss minus that of adam, seed by seed: sgd +1.9 [1.9, 1.9]" in text


def test_rows_of_the_page() -> None:
    rows = page_rows(sample_result())
    assert [row["optimizer"] for row in rows] == ["sgd", "adam"]
    assert rows[1]["learning rate"] == "0.001 [tuned]"
    assert rows[0]["epochs to target"] == "not reached"
    assert rows[1]["state"] == "100 B"


def test_candidates_with_the_chosen_one_marked() -> None:
    result: dict[str, Any] = sample_result()
    assert candidate_rows(result) == [
        ["learning rate", "adam"], ["0.001", "0.1 ✓"], ["1", "failed"],
    ]  # fmt: skip
    result["optimizers"][1]["candidates"] = []
    assert candidate_rows(result) == []
