"""What the rungs set."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.config.quantize import QuantizeConfig
from pipeline.quantization.attempt import Attempt, Change
from pipeline.quantization.rungs import RUNGS, Rung


@pytest.mark.parametrize("rung", [rung for rung in RUNGS if not rung.reads_layers])
def test_every_change_is_a_valid_section(rung: Rung) -> None:
    changes = list(rung.changes(None, None))
    assert changes and len({change.words for change in changes}) == len(changes)
    for change in changes:
        section = QuantizeConfig.model_validate_json(json.dumps(dict(change.values)))
        assert section.method == "ptq"


def test_the_cheapest_comes_first() -> None:
    assert [rung.name for rung in RUNGS] == [
        "post-training int8", "better calibration", "exceptions for the worst layers"
    ]  # fmt: skip
    (first,) = RUNGS[0].changes(None, None)
    assert first.values == {}


def errors(*layers: tuple[str, float | None]) -> dict[str, Any]:
    return {"layers": [{"layer": name, "own_sqnr_db": ratio} for name, ratio in layers]}


def test_the_worst_layers_get_other_schemes_on_top_of_the_best_try() -> None:
    rung = RUNGS[2]
    assert rung.reads_layers
    values = {"ranges": {"kind": "mse"}}
    best = Attempt("better calibration", Change("mse", values), 1.0)
    noise = errors(("a[0]", 9.0), ("b", 20.0), ("a[0]", 21.0), ("c", 30.0), ("d", 31.0),
                   ("flat", None))  # fmt: skip
    found = list(rung.changes(best, noise))
    assert [change.words for change in found] == [
        "a[0] in 16 bits", "a[0] in float", "a[0], b in 16 bits", "a[0], b in float"
    ]  # fmt: skip
    assert found[3].values == {
        "ranges": {"kind": "mse"},
        "layers": {"a[[]0]": {"scheme": "float32"}, "b": {"scheme": "float32"}},
    }
    for change in found:
        QuantizeConfig.model_validate_json(json.dumps(dict(change.values)))


@pytest.mark.parametrize("noise", [None, {"reason": "no kernel"}, errors(("a", 9.0))])
def test_without_layers_to_choose_from_there_is_nothing_to_try(noise: Any) -> None:
    assert list(RUNGS[2].changes(None, noise)) == []
