"""Temperature and alpha, and the tasks that have no temperature."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.distillation import Distillation
from pipeline.config.load import as_plain_data, validate
from pipeline.errors import ConfigError

REGRESSION = {"data": {"source": "npz", "path": "x.npz", "task": "regression"}}


def test_a_configuration_comes_back_as_it_was() -> None:
    config = validate({"prune": {"distillation": {"temperature": 4.0}}})
    assert config.prune.distillation == Distillation(temperature=4.0, alpha=0.5)
    assert config.train.distillation is None
    assert validate(as_plain_data(config)) == config


@pytest.mark.parametrize(
    "values", [{"temperature": 0.0}, {"alpha": -0.1}, {"alpha": 1.1}, {"temperature": -1.0}]
)
def test_values_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"cluster\.distillation\.{next(iter(values))}"):
        validate({"cluster": {"distillation": values}})


def test_a_temperature_needs_probabilities() -> None:
    validate({**REGRESSION, "prune": {"distillation": {"alpha": 1.0}}})
    with pytest.raises(
        ConfigError,
        match=r"prune\.distillation\.temperature: received 3\.0, and data\.task regression has no "
        r"probabilities that it could soften; leave it out",
    ):
        validate({**REGRESSION, "prune": {"distillation": {"temperature": 3.0}}})


def test_features_come_back_as_they_were() -> None:
    for layers in (["conv_*", "dense_1"], {"dense_1": "block_2_relu"}):
        features = {"layers": layers, "weight": 10.0, "loss": "cosine"}
        for values in ({"prune": {"distillation": {"features": features}}},
                       {"distill": {"alpha": 0.0, "features": features}}):  # fmt: skip
            config = validate(values)
            assert validate(as_plain_data(config)) == config
    taught = config.distill.training.distillation
    assert taught is not None and taught.features is not None and taught.alpha == 0
    assert taught.features.layers == {"dense_1": "block_2_relu"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"alpha": 0.0}, ": alpha: received 0, which asks the teacher for nothing; expected more"),
        ({"features": {}}, r"\.features\.layers: missing"),
        ({"features": {"layers": []}}, r"\.features\.layers: received \[\], expected names of"),
        ({"features": {"layers": "conv"}}, r"\.features\.layers: received 'conv', expected names"),
        ({"features": {"layers": {"a": 1}}}, r"\.features\.layers: received \{'a': 1\}, expected"),
        ({"features": {"layers": ["a"], "loss": "mae"}}, r"\.features\.loss: received 'mae'"),
        ({"features": {"layers": ["a"], "weight": 0.0}}, r"\.features\.weight: received 0"),
    ],
)
def test_what_asks_for_nothing_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=rf"prune\.distillation{words}"):
        validate({"prune": {"distillation": values}})
