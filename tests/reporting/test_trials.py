from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.reporting.trial_charts import best_steps, draw_trials, kind_of, make_dimension
from pipeline.reporting.trials import build_trials, measure_elapsed
from tests.reporting.sample_run import SEARCH_SPACE, tune_metrics


def built(**changes: Any) -> dict[str, Any]:
    trials = build_trials({**tune_metrics(), **changes}, None)
    assert trials is not None
    return trials


def test_best_so_far_skips_failed_trials() -> None:
    assert [t["best_so_far"] for t in built()["trials"][:5]] == [
        0.9583,
        0.9722,
        0.9722,
        0.9722,
        0.9806,
    ]


def test_best_so_far_of_a_loss_falls() -> None:
    trials = tune_metrics()["trials"][:4]
    for trial, score in zip(trials, [math.nan, 0.5, 0.7, 0.2], strict=True):
        trial |= {"score": score, "status": "ended"}
    found = built(objective="val_loss", trials=trials)
    assert [t["best_so_far"] for t in found["trials"]] == [None, 0.5, 0.5, 0.2]


def test_a_trial_that_breaks_a_constraint_is_never_the_best() -> None:
    trials = tune_metrics()["trials"][:2]
    trials[1]["feasible"] = False
    assert [t["best_so_far"] for t in built(trials=trials)["trials"]] == [0.9583, 0.9583]


def test_time_is_the_clock_where_trials_ran_side_by_side() -> None:
    trials = [{"seconds": 5.0, "started_seconds": 0.0}, {"seconds": 2.0, "started_seconds": 1.0}]
    assert measure_elapsed(trials) == ("wall", [5.0, 3.0])
    assert measure_elapsed([{"seconds": 5.0}, {"seconds": 2.0}]) == ("added", [5.0, 7.0])
    assert measure_elapsed([]) == ("added", [])


def test_the_best_so_far_goes_by_the_end_of_trials() -> None:
    trials = tune_metrics()["trials"][:2]
    trials[0] |= {"score": 0.9, "seconds": 9.0, "started_seconds": 0.0}
    trials[1] |= {"score": 0.8, "seconds": 2.0, "started_seconds": 1.0}
    found = built(trials=trials)
    assert [t["best_so_far"] for t in found["trials"]] == [0.9, 0.8]
    assert found["search_seconds"] == 9.0 and found["clock"] == "wall"


def test_best_so_far_is_a_staircase() -> None:
    trials = [{"best_so_far": best} for best in (None, 0.5, 0.5, 0.9)]
    assert best_steps(trials, [1, 2, 3, 4]) == [(1, None), (2, 0.5), (3, 0.5), (4, 0.5), (4, 0.9)]


def test_no_search() -> None:
    assert build_trials(None, None) is None
    assert set(draw_trials(None, {}).values()) == {None}


def test_dimensions_of_numbers_choices_and_conditions() -> None:
    rates = make_dimension("train.optimizer.learning_rate", [1e-4, 1e-2], SEARCH_SPACE)
    assert rates.axis.logarithmic
    sizes = make_dimension("train.batch_size", [64, None, 32], SEARCH_SPACE)
    assert sizes.axis.labels == ("32", "64") and list(sizes.values) == [1.0, None, 0.0]
    names = make_dimension("model.activation", ["relu", "elu"], {})
    assert names.axis.labels == ("relu", "elu")


def test_kinds_of_trials() -> None:
    ended = {"score": 0.5}
    assert [kind_of(place, ended, 2) for place in range(3)] == ["best", "top", "rest"]
    assert (
        kind_of(0, {"score": None}, 2)
        == kind_of(0, {"score": 1.0, "feasible": False}, 2)
        == "failed"
    )


@pytest.mark.parametrize("scores", [[None, None], [0.5, 0.5], [1e-6, 1e6]])
def test_odd_scores_are_drawn(scores: list[float | None]) -> None:
    trials = tune_metrics()["trials"][:2]
    for trial, score in zip(trials, scores, strict=True):
        trial["score"] = score
    drawn = draw_trials(built(objective="val_loss", trials=trials), SEARCH_SPACE)
    assert (drawn["parallel"] is None) == (scores[0] is None)
