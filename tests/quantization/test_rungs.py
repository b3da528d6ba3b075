"""What the rungs set."""

from __future__ import annotations

import json

import pytest

from pipeline.config.quantize import QuantizeConfig
from pipeline.quantization.rungs import RUNGS, Rung


@pytest.mark.parametrize("rung", [rung for rung in RUNGS if not rung.reads_layers])
def test_every_change_is_a_valid_section(rung: Rung) -> None:
    changes = list(rung.changes(None, None))
    assert changes and len({change.words for change in changes}) == len(changes)
    for change in changes:
        section = QuantizeConfig.model_validate_json(json.dumps(dict(change.values)))
        assert section.method == "ptq"


def test_the_cheapest_comes_first() -> None:
    assert [rung.name for rung in RUNGS][:2] == ["post-training int8", "better calibration"]
    (first,) = RUNGS[0].changes(None, None)
    assert first.values == {}
