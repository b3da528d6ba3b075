"""The stage narrow: its place in a chain."""

from __future__ import annotations

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError
from pipeline.plan import chain_of

STUDENT = {"student": {"architecture": "mlp"}}


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        (["train", "prune", "narrow"], "narrow after prune .* put narrow before prune"),
        (["train", "cluster", "narrow"], "narrow after cluster .* put cluster after narrow"),
        (["train", "narrow", "tune"], "tune after narrow .* put narrow after tune"),
        (["train", "narrow", "distill"], "distill after narrow .* put narrow after distill"),
    ],
)
def test_a_chain_that_undoes_it_is_refused(stages: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        chain_of(validate({"stages": stages, "distill": STUDENT}))


def test_a_runtime_that_is_not_there_is_refused_before_any_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = {"latency": 0.5, "runtime": "tflite_micro"}
    config = validate({"stages": ["train", "narrow"], "narrow": {"target": target}})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    words = r"narrow\.target\.runtime: tflite-micro is not available here .*; give litert"
    with pytest.raises(ConfigError, match=words):
        chain_of(config)


def test_optimizers_of_keras_3_are_all_right_because_it_crosses_no_bridge() -> None:
    values = {"stages": ["train", "narrow"], "narrow": {"optimizer": {"name": "muon"}}}
    assert [stage.name for stage in chain_of(validate(values))] == ["data", "train", "narrow"]
