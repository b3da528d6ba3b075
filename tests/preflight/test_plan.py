"""What will be done, in sentences."""

from __future__ import annotations

import pytest

from pipeline.preflight.plan import describe_plan, listed
from pipeline.preflight.trial import Trial
from pipeline.preflight.verdicts import NOTHING, YES, LayerRow, Verdict

LEFT = Verdict("converter", "tfmot does not know it")
DENSE = Verdict("no", "few weights")


def row(name: str, pruned: Verdict = YES, qat: Verdict = YES) -> LayerRow:
    return LayerRow(name, "Dense", 10, 5, 1, {"pruned": pruned, "clustered": pruned, "qat": qat})


def test_what_is_pruned_and_what_stays_dense() -> None:
    rows = [row("a"), row("b", pruned=DENSE), row("c", pruned=NOTHING)]
    assert describe_plan(rows, Trial(True))[0] == (
        "prune: 1 layer with 33% of the parameters; stays dense: b"
    )
    told = describe_plan([row("b", pruned=DENSE)], Trial(True))
    assert told[:2] == ("prune: not possible", "cluster: not possible")


def test_what_is_trained_with_quantization() -> None:
    assert describe_plan([row("a"), row("b")], Trial(True))[2] == "qat: all of 2 layers"
    assert describe_plan([row("a"), row("b", qat=LEFT)], Trial(True))[2] == (
        "qat: 1 layer; left to the converter: b"
    )
    assert "post-training" in describe_plan([row("a", qat=DENSE)], Trial(True))[2]


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        (Trial(False, "31 M parameters"), "export: not tried: 31 M parameters"),
        (Trial(True, "out of memory"), "export: not possible: out of memory"),
        (Trial(True, custom={"e": ("Op",)}), "export: not possible: TFLite lacks operators of e"),
        (Trial(True, int8="no"), "export: float32, float16 and dynamic_range; int8 refused: no"),
        (Trial(True, floats={"ln": ("NEG",)}), "export: int8, with ln computing in float32"),
        (Trial(True, floats={}), "export: int8 throughout, built-in operators only"),
    ],
)  # fmt: skip
def test_what_is_exported(trial: Trial, words: str) -> None:
    assert describe_plan([row("a")], trial)[3] == words


def test_long_lists_are_cut() -> None:
    assert listed("abc") == "a, b, c"
    assert listed("abcde") == "a, b, c and 2 more"
