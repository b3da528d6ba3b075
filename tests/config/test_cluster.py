"""Numbers of clusters and overrides."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.cluster import ClusterConfig, LayerClustering
from pipeline.config.load import as_plain_data


def test_a_configuration_comes_back_as_it_was() -> None:
    values = {"number_of_clusters": 8, "layers": {"conv*": {"skip": True}, "d": {
        "number_of_clusters": 32}}, "preserve_sparsity": False}  # fmt: skip
    config = ClusterConfig.model_validate(values)
    assert ClusterConfig.model_validate(as_plain_data(config)) == config
    assert config.layers["d"].number_of_clusters == 32


@pytest.mark.parametrize("number", [1, 257])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="number_of_clusters"):
        ClusterConfig(number_of_clusters=number)
    with pytest.raises(ValueError, match="number_of_clusters"):
        LayerClustering(number_of_clusters=number)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"number_of_clusters": 2}, "number_of_clusters 2"),
        ({"layers": {"d": {"number_of_clusters": 2}}}, r"layers\.d\.number_of_clusters 2"),
    ],
)
def test_zero_takes_one_cluster_and_each_sign_another(values: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} leaves no value for each sign beside zero"):
        ClusterConfig.model_validate(values)
    ClusterConfig.model_validate({**values, "preserve_sparsity": False})


def test_a_layer_says_one_thing() -> None:
    with pytest.raises(ValueError, match="skip: true leaves no number_of_clusters to set"):
        LayerClustering(skip=True, number_of_clusters=8)
    with pytest.raises(ValueError, match="expected skip: true, or number_of_clusters"):
        LayerClustering()
