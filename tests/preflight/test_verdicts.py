"""The table, its remarks and sums."""

from __future__ import annotations

import json

from pipeline.preflight.verdicts import (
    ASPECTS,
    NOTHING,
    YES,
    Answers,
    Conversion,
    LayerRow,
    Preflight,
    TensorFacts,
    Verdict,
    collect_remarks,
    listed,
)

DENSE = Verdict("no", "too few weights", "none needed")
BLOCKED = Verdict("no", "half precision", "use float32", blocks=True)


def row(name: str, macs: int | None = 5, **verdicts: Verdict) -> LayerRow:
    return LayerRow(name, "Dense", 10, macs, 1, {aspect: YES for aspect in ASPECTS} | verdicts)  # type: ignore[arg-type]


def preflight(*rows: LayerRow) -> Preflight:
    tensor = TensorFacts("x", (None, 4), "float32")
    answers = Answers(None, "", None, None, "unknown", "")
    conversion = Conversion("converts", int8="integer")
    return Preflight(
        "m", "Functional", rows, (tensor,), (tensor,), answers, conversion, ("prune: x",)
    )


def test_equal_reasons_are_told_once_in_the_order_of_aspects() -> None:
    rows = [row("a", qat=DENSE), row("b", pruned=DENSE, qat=DENSE), row("c", pruned=NOTHING)]
    told = [(remark.aspect, remark.layers) for remark in collect_remarks(rows)]
    assert told == [("pruned", ("b",)), ("qat", ("a", "b"))]


def test_only_what_stops_a_stage_is_an_obstacle() -> None:
    found = preflight(row("a", pruned=DENSE), row("b", bridged=BLOCKED)).obstacles
    assert [(remark.reason, remark.layers) for remark in found] == [("half precision", ("b",))]


def test_sums_leave_out_what_is_not_known_and_say_so() -> None:
    found = preflight(row("a"), row("b", macs=None), row("c", macs=7))
    assert (found.parameters, found.macs, found.uncounted) == (30, 12, ("b",))
    assert found.count("qat", "yes", "converter") == 3


def test_json_holds_each_reason_once() -> None:
    told = json.loads(json.dumps(preflight(row("a", pruned=DENSE), row("b")).to_json()))
    assert told["layers"][0] == {
        "name": "a", "class": "Dense", "parameters": 10, "macs": 5, "calls": 1,
        **dict.fromkeys(ASPECTS, "yes"), "pruned": "no",
    }  # fmt: skip
    assert told["remarks"] == [
        {
            "aspect": "pruned", "answer": "no", "reason": "too few weights", "fix": "none needed",
            "blocks": False, "layers": ["a"],
        }
    ]  # fmt: skip
    assert told["inputs"] == [{"name": "x", "shape": [None, 4], "dtype": "float32"}]
    assert told["plan"] == ["prune: x"]
    assert told["conversion"]["int8"] == "integer"


def test_long_lists_are_cut() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcde") == "a, b, c and 2 more"
