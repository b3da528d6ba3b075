"""What a reader is warned of."""

from __future__ import annotations

from typing import Any

from pipeline.optimizer_study.notes import study_notes
from pipeline.optimizer_study.runs import Candidate, Runs
from pipeline.optimizer_study.settings import StudySettings, plan_study
from tests.optimizer_study.conftest import make_config, outcome_of


def settings_of(seeds: int = 5, **options: Any) -> StudySettings:
    rates = options.pop("rates", {"sgd": 0.1, "adam": 0.001})
    return plan_study(make_config(), ("sgd", "adam"), seeds, rates, **options)


def notes_of(settings: StudySettings, outcomes: list[dict[str, Any]] | None = None) -> str:
    runs = [Runs(entrant, 0.1, [], {0: {}}, {}) for entrant in settings.entrants]
    return "\n".join(study_notes(settings, runs, outcomes or [outcome_of([1.0])]))


def test_nothing_to_warn_of() -> None:
    assert notes_of(settings_of()) == ""


def test_default_rates_and_a_search_of_some() -> None:
    text = notes_of(settings_of(rates={"adam": 0.001}))
    assert "sgd: the default learning rate was used" in text
    text = notes_of(settings_of(rates={"adam": 0.001}, trials=3))
    assert "only sgd had its learning rate searched" in text
    assert "the same 3 candidates" in text


def test_few_seeds() -> None:
    assert "one seed: no interval" in notes_of(settings_of(1))
    assert "3 seeds only: the intervals (Student's t = 4.30)" in notes_of(settings_of(3))


def test_machines() -> None:
    busy = [{**outcome_of([1.0]), "load": 900.0}]
    assert "other work shared this machine (load 900.0" in notes_of(settings_of(), busy)
    two = [outcome_of([1.0]), {**outcome_of([1.0]), "cpu": "another"}]
    assert "several machines (a machine, another)" in notes_of(settings_of(), two)


def test_a_best_rate_in_the_middle_is_no_edge() -> None:
    settings = settings_of(rates={}, trials=3)
    candidates = [Candidate(rate, 1.0, None) for rate in settings.tuning_rates]
    runs = [Runs(entrant, 0.01, candidates, {0: {}}, {}) for entrant in settings.entrants]
    assert "edge" not in " ".join(study_notes(settings, runs, [outcome_of([1.0])]))
