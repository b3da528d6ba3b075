"""Names, patterns and pairs of layers."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.training.feature_layers import pair_layers

STUDENT, TEACHER = ["conv_1", "relu_1", "hidden"], ["conv_1", "conv_2", "relu_1", "dense"]


def test_names_and_patterns_of_layers_that_both_have() -> None:
    assert pair_layers(["relu_1", "conv_*", "*_1"], STUDENT, TEACHER, "f") == [
        ("relu_1", "relu_1"), ("conv_1", "conv_1"),
    ]  # fmt: skip


def test_pairs_of_layers_with_other_names() -> None:
    asked = {"hidden": "dense", "conv_1": "conv_2"}
    assert pair_layers(asked, STUDENT, TEACHER, "f") == [("hidden", "dense"), ("conv_1", "conv_2")]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["conv1"], r"f: 'conv1' fits no layer that student and teacher both have; did you mean"
                    r" 'conv_1'\?"),
        (["zz*"], r"f: 'zz\*' fits no layer .* expected one of conv_1, relu_1"),
        (["hidden"], "f: 'hidden' fits no layer that student and teacher both have"),
        ({"hiden": "dense"}, r"f: the student has no layer 'hiden'; did you mean 'hidden'\?"),
        ({"hidden": "dens"}, r"f: the teacher has no layer 'dens'; did you mean 'dense'\?"),
    ],
)  # fmt: skip
def test_unknown_names_are_told_with_the_nearest(asked: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        pair_layers(asked, STUDENT, TEACHER, "f")
