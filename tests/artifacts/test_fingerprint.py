"""Keys: everything that shapes a result is in them, and changes are explained."""

from __future__ import annotations

import copy
from typing import Any

import numpy
import pytest

from pipeline.artifacts.fingerprint import (
    describe_host,
    explain_change,
    library_versions,
    stage_key,
)

MADE_OF: dict[str, Any] = {
    "stage": "prune",
    "version": 1,
    "config": {"prune": {"epochs": 3, "optimizer": {"name": "adam"}}},
    "inputs": {"model": {"train": "abc"}, "data": {"data": "def"}},
    "seed": 0,
    "libraries": {"keras": "3.15.1"},
}


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("config", "prune", "optimizer", "name"), "sgd", "prune.optimizer.name changed"),
        (("inputs", "model", "train"), "xyz", "input model changed"),
        (("seed",), 1, "run.seed changed"),
        (("libraries", "keras"), "3.16", "keras has another version"),
        (("version",), 2, "the stage itself changed"),
    ],
)
def test_each_part_changes_the_key_and_is_named(
    path: tuple[str, ...], value: object, words: str
) -> None:
    changed = copy.deepcopy(MADE_OF)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert stage_key(changed) != stage_key(MADE_OF)
    assert explain_change(MADE_OF, changed) == words


def test_the_key_is_stable_over_the_order_of_keys() -> None:
    assert stage_key(dict(reversed(MADE_OF.items()))) == stage_key(MADE_OF)
    assert len(stage_key(MADE_OF)) == 64


def test_versions_and_host() -> None:
    assert library_versions(["numpy", "no-such-thing"]) == {
        "numpy": numpy.__version__,
        "no-such-thing": "absent",
    }
    host = describe_host()
    assert host["cores"] >= 1
    assert host["cpu"]
