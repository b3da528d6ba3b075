"""What will be done, in sentences."""

from __future__ import annotations

import pytest

from pipeline.bridge.pruning_patterns import PATTERN_NOTE
from pipeline.config.prune import PruneConfig
from pipeline.preflight.plan import describe_plan
from pipeline.preflight.verdicts import NOTHING, YES, Conversion, LayerRow, Verdict

LEFT = Verdict("converter", "tfmot does not know it")
WHOLE = Conversion("converts", "", "integer")
DENSE = Verdict("no", "few weights")


FLOAT = Verdict("yes", "int8 leaves NEG in float32")


def row(name: str, pruned: Verdict = YES, qat: Verdict = YES) -> LayerRow:
    return LayerRow(
        name,
        "Dense",
        10,
        5,
        1,
        {"pruned": pruned, "clustered": pruned, "qat": qat, "exported": FLOAT},
    )


def test_what_is_pruned_and_what_stays_dense() -> None:
    rows = [row("a"), row("b", pruned=DENSE), row("c", pruned=NOTHING)]
    assert describe_plan(rows, WHOLE)[0] == (
        "prune: 1 layer with 33% of the parameters; stays dense: b"
    )
    told = describe_plan([row("b", pruned=DENSE)], WHOLE)
    assert told[:2] == ("prune: not possible", "cluster: not possible")


def test_a_pattern_of_zeros_is_told_with_what_runtimes_make_of_it() -> None:
    blocks = PruneConfig(block_size=(4, 1))
    plain, told = (describe_plan([row("a")], WHOLE, prune)[0] for prune in (PruneConfig(), blocks))
    assert told == f"{plain}; {PATTERN_NOTE}"


def test_what_is_trained_with_quantization() -> None:
    assert describe_plan([row("a"), row("b")], WHOLE)[2] == "qat: all of 2 layers"
    assert describe_plan([row("a"), row("b", qat=LEFT)], WHOLE)[2] == (
        "qat: 1 layer; left to the converter: b"
    )
    assert "post-training" in describe_plan([row("a", qat=DENSE)], WHOLE)[2]


@pytest.mark.parametrize(
    ("conversion", "words"),
    [
        (Conversion("not_tried", "31 M parameters"), "export: not tried: 31 M parameters"),
        (Conversion("fails", "out of memory"), "export: not possible: out of memory"),
        (
            Conversion("converts", "", "refused", "no"),
            "export: float32, float16 and dynamic_range; int8 refused: no",
        ),
        (Conversion("converts", "", "partly_float"), "export: int8, with a computing in float32"),
        (WHOLE, "export: int8 throughout, built-in operators only"),
    ],
)
def test_what_is_exported(conversion: Conversion, words: str) -> None:
    assert describe_plan([row("a")], conversion)[3] == words
