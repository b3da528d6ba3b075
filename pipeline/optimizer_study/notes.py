"""What a reader must know before believing the figures of a comparison."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from pipeline.optimizer_study.intervals import t_quantile
from pipeline.optimizer_study.runs import Runs
from pipeline.optimizer_study.settings import StudySettings

FEW_SEEDS = 5


def study_notes(
    settings: StudySettings, runs: Sequence[Runs], outcomes: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Returns the caveats that apply, in order of weight.

    Args:
        settings: what was compared.
        runs: what became of each optimizer.
        outcomes: of every compared training that ended.
    """
    return [
        *_rates(settings, runs),
        *_failures(runs),
        *_seeds(len(settings.seeds)),
        *_machines(outcomes, os.cpu_count() or 1),
    ]


def _rates(settings: StudySettings, runs: Sequence[Runs]) -> list[str]:
    notes = []
    default = [one.entrant.label for one in runs if one.entrant.rate_source == "default"]
    if default:
        notes.append(
            f"{', '.join(default)}: the default learning rate was used, which may suit another "
            "model; give --learning-rate NAME=RATE, or --tune N for an equal search"
        )
    tuned = [one.entrant.label for one in runs if one.entrant.rate_source == "tuned"]
    if tuned and len(tuned) < len(runs):
        notes.append(f"only {', '.join(tuned)} had its learning rate searched; the others' was set")
    if tuned:
        notes.append(
            f"each learning rate was chosen among the same {len(settings.tuning_rates)} "
            "candidates, with one seed that is none of the compared ones, by the final loss on "
            "the validation data that the figures are about"
        )
    for one in runs:
        rates = [candidate.rate for candidate in one.candidates]
        if one.learning_rate is not None and one.learning_rate in (*rates[:1], *rates[-1:]):
            notes.append(
                f"{one.entrant.label}: its best learning rate, {one.learning_rate:g}, lies at the "
                "edge of the candidates; a wider --tune-range may show it in a better light"
            )
    return notes


def _failures(runs: Sequence[Runs]) -> list[str]:
    notes = []
    for one in runs:
        if one.learning_rate is None:
            notes.append(f"{one.entrant.label}: every candidate failed: {one.candidates[0].error}")
        elif one.errors:
            total = len(one.errors) + len(one.outcomes)
            cause = next(iter(one.errors.values()))
            notes.append(
                f"{one.entrant.label}: {len(one.errors)} of {total} trainings failed and are in "
                f"no mean: {cause}"
            )
    return notes


def _seeds(count: int) -> list[str]:
    if count == 1:
        return ["one seed: no interval can be given; a difference may be luck"]
    if count < FEW_SEEDS:
        return [
            f"{count} seeds only: the intervals (Student's t = {t_quantile(count - 1):.2f}) are "
            "wide, and rest on normally distributed figures"
        ]
    return []


def _machines(outcomes: Sequence[Mapping[str, Any]], cores: int) -> list[str]:
    """Several machines, or one with other work than ours: our own takes up to all cores."""
    machines = sorted({outcome["cpu"] for outcome in outcomes})
    if len(machines) > 1:
        return [f"trained on several machines ({', '.join(machines)}): times do not compare"]
    loads = [outcome["load"] for outcome in outcomes if outcome["load"] is not None]
    if not loads or median(loads) <= cores + 1:
        return []
    return [
        f"other work shared this machine (load {median(loads):.1f} on {cores} cores): times are "
        "longer than they need be, and differences in time small against that are noise"
    ]
