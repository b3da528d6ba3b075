"""The charts of a search: every trial, the best so far, and what mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from pipeline.reporting.charts.axes import (
    Axis,
    format_percent_tick,
    format_tick,
    linear_axis,
    log_axis,
)
from pipeline.reporting.charts.bars import Bar, bar_chart
from pipeline.reporting.charts.lines import Series, line_chart
from pipeline.reporting.charts.parallel import (
    THREAD_NAMES,
    Dimension,
    Thread,
    parallel_chart,
)
from pipeline.reporting.tables import sort_trials
from pipeline.reporting.units import format_figure, format_percent, is_number

# Scores further apart than this are drawn over a logarithmic axis.
LOGARITHMIC_RATIO = 30.0
# A search of more trials would be a black field.
MAX_THREADS = 200

Trial = Mapping[str, Any]


def draw_trials(trials: Mapping[str, Any] | None, space: Mapping[str, Any]) -> dict[str, Any]:
    """Draws a search.

    Args:
        trials: as in report.json; None without a search.
        space: tune.search_space of the configuration: path → its values.

    Returns:
        dict: `progress` (best so far against time), `parallel`, `importance`; None where there
        is nothing to draw.
    """
    if trials is None or not any(is_number(trial["score"]) for trial in trials["trials"]):
        return {"progress": None, "parallel": None, "importance": None}
    return {
        "progress": draw_progress(trials),
        "parallel": draw_parallel(trials, space),
        "importance": draw_importance(trials["importance"]),
    }


def is_fraction(objective: str) -> bool:
    """True for an objective that is written in per cent."""
    return objective.endswith("accuracy")


def draw_progress(trials: Mapping[str, Any]) -> Markup:
    """Score of each trial at the time it was over, and the best score so far."""
    rows, objective = trials["trials"], trials["objective"]
    scores = [t["score"] for t in rows if is_number(t["score"])]
    fraction = is_fraction(objective)
    spread = not fraction and min(scores) > 0 and max(scores) / min(scores) > LOGARITHMIC_RATIO
    unit, factor = ("minutes", 60.0) if rows[-1]["elapsed"] > 600 else ("seconds", 1.0)
    times = [trial["elapsed"] / factor for trial in rows]
    clock = "since the search began" if trials["clock"] == "wall" else "of all trials, added up"
    return line_chart(
        "trials",
        f"{objective} over time",
        f"Score of each of {len(rows)} trials and the best so far; failed trials have none.",
        [
            Series("trial", [(x, t["score"]) for x, t in zip(times, rows, strict=True)], 1,
                   dots_only=True),
            Series("best so far", best_steps(rows, times), 2),
        ],
        x_title=f"{unit} {clock}",
        y_title=objective + (" (logarithmic)" if spread else ""),
        y_format=format_percent_tick if fraction else format_tick,
        ceiling=1.0 if fraction else None,
        logarithmic=spread,
        whole=False,
    )  # fmt: skip


def best_steps(trials: Sequence[Trial], times: Sequence[float]) -> list[tuple[float, float | None]]:
    """The best score so far as a staircase: it changes at a trial's end, not between two."""
    points: list[tuple[float, float | None]] = []
    before = None
    for x, trial in sorted(zip(times, trials, strict=True), key=lambda pair: pair[0]):
        best = trial["best_so_far"]
        if before is not None and best != before:
            points.append((x, before))
        points.append((x, best))
        before = best
    return points


def draw_parallel(trials: Mapping[str, Any], space: Mapping[str, Any]) -> Markup:
    """Every trial as a line through its settings down to its score."""
    ranked = sort_trials(trials["trials"], trials["objective"])[:MAX_THREADS]
    paths = list(dict.fromkeys(path for trial in ranked for path in trial["hyperparameters"]))
    dimensions = [
        make_dimension(path, [trial["hyperparameters"].get(path) for trial in ranked], space)
        for path in paths
    ]
    objective = trials["objective"]
    scores = [trial["score"] for trial in ranked]
    known = [score for score in scores if is_number(score)]
    if not is_fraction(objective) and min(known) > 0 and max(known) / min(known) > 10:
        axis = log_axis(known)
    else:
        form = format_percent_tick if is_fraction(objective) else format_tick
        axis = linear_axis(known, format_label=form)
    dimensions.append(Dimension(f"→ {objective}", axis, scores, missing="failed"))
    usable = [trial for trial in ranked if kind_of(1, trial, 0) != "failed"]
    top = max(1, len(usable) // 4)
    threads = [
        Thread(kind_of(place, trial, top), describe_trial(trial, objective))
        for place, trial in enumerate(ranked)
    ]
    return parallel_chart(
        "parallel",
        "All trials",
        f"One line per trial through the values of {len(paths)} settings, down to its "
        f"{objective}. The table below has the same figures.",
        dimensions,
        threads,
        names=(*THREAD_NAMES[:3], ("failed", "failed or breaks a constraint"))
        if any(not trial.get("feasible", True) for trial in usable_of(ranked))
        else THREAD_NAMES,
    )


def usable_of(trials: Sequence[Trial]) -> list[Trial]:
    """Those that ended with a score."""
    return [trial for trial in trials if is_number(trial["score"])]


def kind_of(place: int, trial: Trial, top: int) -> str:
    """How a trial of this rank is drawn."""
    if not is_number(trial["score"]) or not trial.get("feasible", True):
        return "failed"
    return "best" if place == 0 else "top" if place < top else "rest"


def describe_trial(trial: Trial, objective: str) -> str:
    """A trial in one line, for the tip."""
    settings = ", ".join(f"{k} {format_figure(v)}" for k, v in trial["hyperparameters"].items())
    score = format_figure(trial["score"]) if is_number(trial["score"]) else "failed"
    return f"{trial['trial']}: {settings}; {objective} {score}"


def make_dimension(path: str, values: Sequence[Any], space: Mapping[str, Any]) -> Dimension:
    """The axis of a setting: numbers by their size (or ratio), choices side by side."""
    known = [value for value in values if value is not None]
    choices = (space.get(path) or {}).get("choice")
    if choices is None and all(is_number(value) for value in known):
        numbers = [float(value) for value in known]
        logarithmic = (space.get(path) or {}).get("sampling") == "log" and min(numbers) > 0
        whole = all(isinstance(value, int) for value in known)
        axis = log_axis(numbers) if logarithmic else linear_axis(numbers, whole=whole)
        return Dimension(path, axis, values)
    order = list(dict.fromkeys(map(format_figure, [*(choices or []), *known])))
    ticks = tuple(float(index) for index in range(len(order)))
    axis = Axis(-0.5, len(order) - 0.5, ticks, tuple(order))
    places = [
        None if value is None else float(order.index(format_figure(value))) for value in values
    ]
    return Dimension(path, axis, places)


def draw_importance(importance: Mapping[str, Any] | None) -> Markup | None:
    """The share of each setting, with the share that chance gave."""
    if importance is None or not importance["shares"]:
        return None
    return bar_chart(
        "importance",
        "Importance of each setting",
        f"Share of the scores' variance that each setting explains by itself, over "
        f"{importance['trials']} trials, and the share that 95 % of {importance['shuffles']} "
        "shuffles of the scores stayed below.",
        [
            Bar(
                row["path"],
                row["share"],
                format_percent(row["share"], 0),
                row["chance"],
                faint=row["share"] <= row["chance"],
            )
            for row in importance["shares"]
        ],
        x_title="share of the scores' variance",
        x_format=format_percent_tick,
        ceiling=1.0,
        bar_name="above chance",
        faint_name="not above chance",
        mark_name="chance",
        color=5,
    )
