"""The stage cluster: chains that would undo it, and what later stages are told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError
from pipeline.plan import chain_of
from pipeline.stages.inputs import clustered_kernels
from pipeline.tflite.verify_clusters import ClusteredKernel


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        (["train", "cluster", "prune"], "prune after cluster .* put cluster after prune"),
        (["train", "cluster", "tune", "prune"], "tune after cluster .* put cluster after prune"),
    ],
)
def test_a_stage_that_undoes_it_is_refused(stages: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        chain_of(validate({"stages": stages}))


def test_an_optimizer_that_does_not_cross_is_refused() -> None:
    values = {"stages": ["train", "cluster"], "cluster": {"optimizer": {"name": "muon"}}}
    with pytest.raises(ConfigError, match=r"cluster\.optimizer.*muon"):
        chain_of(validate(values))


def test_later_stages_are_told_what_was_promised() -> None:
    row = {
        "layer": "c", "tensor": "kernel", "shape": [3, 3, 1, 8], "number_of_clusters": 8,
        "normalized": True, "distinct": 7,
    }  # fmt: skip
    artifact = SimpleNamespace(metrics={"layers": [row]})
    context: Any = SimpleNamespace(inputs={"baselines": {"float": None, "clustered": artifact}})
    expected = ClusteredKernel("c", "kernel", (3, 3, 1, 8), 8, True)
    assert clustered_kernels(context) == [expected]
    context = SimpleNamespace(inputs={"baselines": {"float": None}})
    assert clustered_kernels(context) == []
