"""Bisection over multiply-accumulates, with a clock that follows them as told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.narrow import NarrowTarget
from pipeline.errors import PromiseError
from pipeline.narrowing.latency_target import check_latency, choose_by_latency
from pipeline.tflite.relative_latency import RelativeLatency


class Units:
    """Stands for a Selection: 100 units of equal cost, of which 90 may go."""

    def __init__(self) -> None:
        self.most, self.curves = np.array([90]), [{50: 0.5}]

    @property
    def least(self) -> float:
        return self.fraction_left(self.most)

    def fraction_left(self, removed: np.ndarray) -> float:
        return 1 - float(removed[0]) / 100

    def choose(self, fraction: float) -> np.ndarray:
        return np.array([round(np.ceil(100 * (1 - fraction) - 1e-9))])


def clock(fixed: float, calls: list[int]) -> Callable[[np.ndarray], RelativeLatency]:
    """A fixed part of the latency stays, the rest follows the units; the whole takes 2 ms."""

    def measure(removed: np.ndarray) -> RelativeLatency:
        calls.append(int(removed[0]))
        return RelativeLatency(2 * (fixed + (1 - fixed) * (1 - removed[0] / 100)), 2.0)

    return measure


def choose(measure: Any, record: Path, **target: Any) -> tuple[np.ndarray, dict[str, Any]]:
    units: Any = Units()
    return choose_by_latency(
        units, NarrowTarget.model_validate({"latency": 0.5, **target}), measure, record
    )


def test_the_largest_that_meets_the_target_is_found(tmp_path: Path) -> None:
    calls: list[int] = []
    removed, latency = choose(clock(0.2, calls), tmp_path / "latency.json")
    # 0.2 + 0.8 · left = 0.5 where 37.5 % are left; the last interval is 1/64 of 90 %.
    assert 63 <= removed[0] <= 64
    assert calls[0] == 90, "first of all the smallest, which tells if it can be done at all"
    assert latency["chosen"] == pytest.approx(1 - removed[0] / 100)
    assert [round(100 * (1 - tried["macs_fraction"])) for tried in latency["tried"]] == calls
    assert latency["tried"][0]["fraction"] == pytest.approx(0.28)
    assert latency["tried"][0]["ms"] == pytest.approx(0.56)
    assert latency["runtime"].startswith("ai-edge-litert") and latency["target"] == 0.5


def test_what_was_found_is_not_measured_again(tmp_path: Path) -> None:
    """Another speed of the machine would choose another model, and lose the epochs done so far."""
    record = tmp_path / "latency.json"
    first = choose(clock(0.2, []), record)

    def fail(removed: np.ndarray) -> RelativeLatency:
        raise AssertionError("measured again")

    units: Any = Units()
    units.curves = [{}]
    again = choose_by_latency(units, NarrowTarget(latency=0.5), fail, record)
    assert again[0].tolist() == first[0].tolist() and again[1] == first[1]
    assert units.curves == [{50: 0.5}]


@pytest.mark.parametrize(
    ("runtime", "advice"),
    [(None, "or give runtime: tflite_micro if that"), ("tflite_micro", "lower min_channels$")],
)
def test_a_target_that_cannot_be_met_names_the_best(
    runtime: str | None, advice: str, tmp_path: Path
) -> None:
    pytest.importorskip("tflite_micro")
    words = (
        r"target\.latency 0\.5 cannot be met under .*: the best that could be reached is 0\.730 "
        rf"\(1\.46 of 2 ms\), .* and 0\.100 of the multiply-accumulates left; .*{advice}"
    )
    with pytest.raises(PromiseError, match=words):
        choose(clock(0.7, []), tmp_path / "latency.json", runtime=runtime)
    assert not (tmp_path / "latency.json").exists()


def test_the_last_measurement_is_held_against_the_target() -> None:
    target = NarrowTarget(latency=0.5)
    kept = check_latency(target, RelativeLatency(1.09, 2.0))
    assert kept == {"ms": 1.09, "whole_ms": 2.0, "fraction": pytest.approx(0.545)}
    words = r"narrow: 0\.560 of the int8 latency remain under ai-edge-litert .* \(1\.12 of 2 ms\)"
    with pytest.raises(PromiseError, match=words):
        check_latency(target, RelativeLatency(1.12, 2.0))
