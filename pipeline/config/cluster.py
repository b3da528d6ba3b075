"""`cluster`: the weights of a kernel share few values (Han et al. 2016, section 3)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.train import FineTuneConfig

NumberOfClusters = Annotated[int, Field(ge=2, le=256)]
CentroidInitialization = Literal["linear", "density_based", "kmeans_plus_plus"]
# Below zero, zero, above zero.
LEAST_WITH_ZERO = 3


class LayerClustering(Section):
    """What differs for the layers whose name matches the pattern."""

    skip: bool = Field(False, description="leave the values of these layers free")
    number_of_clusters: NumberOfClusters | None = Field(
        None, description="instead of the common one"
    )

    @model_validator(mode="after")
    def _says_something(self) -> LayerClustering:
        if self.skip and self.number_of_clusters is not None:
            raise ValueError("skip: true leaves no number_of_clusters to set")
        if not self.skip and self.number_of_clusters is None:
            raise ValueError("expected skip: true, or number_of_clusters")
        return self


class ClusterConfig(FineTuneConfig):
    """How many values each kernel may hold, and the fine-tuning of these values."""

    epochs: int = Field(10, ge=1, le=100_000, description="passes over the training split")
    optimizer: OptimizerConfig = OptimizerConfig()
    number_of_clusters: NumberOfClusters = Field(
        16, description="different values that a kernel may hold, zero among them"
    )
    cluster_centroids_init: CentroidInitialization = Field(
        "kmeans_plus_plus",
        description="first values: evenly spaced, by the density of the weights, or k-means++",
    )
    preserve_sparsity: bool = Field(
        True, description="zeros stay zeros, and one of the values is zero"
    )
    layers: dict[str, LayerClustering] = Field(
        default_factory=dict,
        description="name pattern (fnmatch) → what differs; the first match wins",
    )

    @model_validator(mode="after")
    def _zero_has_a_cluster(self) -> ClusterConfig:
        numbers = {"number_of_clusters": self.number_of_clusters}
        for pattern, layer in self.layers.items():
            if layer.number_of_clusters is not None:
                numbers[f"layers.{pattern}.number_of_clusters"] = layer.number_of_clusters
        for field, number in numbers.items():
            if self.preserve_sparsity and number < LEAST_WITH_ZERO:
                raise ValueError(
                    f"{field} {number} leaves no value for each sign beside zero; expected at "
                    f"least {LEAST_WITH_ZERO}, or preserve_sparsity: false"
                )
        return self
