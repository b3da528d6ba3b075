"""What the layers ask of an architecture's configuration, whichever class it is of."""

from __future__ import annotations

from typing import Protocol


class KernelOptions(Protocol):
    """What every architecture's configuration has."""

    @property
    def initializer(self) -> str:
        """Keras name."""

    @property
    def l1(self) -> float:
        """Weight of Σ|w|."""

    @property
    def l2(self) -> float:
        """Weight of Σw²."""

    @property
    def dropout(self) -> float:
        """Fraction of activations dropped."""


class HiddenOptions(KernelOptions, Protocol):
    """What our own architectures have besides."""

    @property
    def normalization(self) -> str:
        """none, batch or layer."""


class ImageOptions(HiddenOptions, Protocol):
    """What our own convolutional architectures have besides."""

    @property
    def spatial_dropout(self) -> float:
        """Fraction of feature maps dropped."""
