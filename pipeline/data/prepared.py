"""Data as a stage uses it: the splits that were asked for, with exactly what the model takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ArtifactError

if TYPE_CHECKING:
    from pipeline.data.preprocessing import Affine

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Samples and labels of one split.

    Attributes:
        x: float32 (n, *input_shape), exactly what the model takes.
        y: int64 (n,), class indices in [0, num_classes).
    """

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        """Returns the number of samples."""
        return len(self.y)


@dataclass(frozen=True)
class PreparedData:
    """The loaded splits, and what is the same for all of them.

    Attributes:
        splits: name ("train", "validation", "test") → Split, only those that were asked for.
        class_names: one name per class index.
        input_shape: shape of one sample, without the batch axis.
        preprocessing: the affine map from source values to model values, None for none.
        placement: "sidecar" (x is already mapped) or "model" (x is raw, the model maps it).
    """

    splits: dict[str, Split]
    class_names: tuple[str, ...]
    input_shape: tuple[int, ...]
    preprocessing: Affine | None
    placement: str

    @property
    def num_classes(self) -> int:
        """Returns the number of classes."""
        return len(self.class_names)

    @property
    def train(self) -> Split:
        """Returns the training split; ArtifactError when it was not loaded."""
        return self._split("train")

    @property
    def validation(self) -> Split:
        """Returns the validation split; ArtifactError when it was not loaded."""
        return self._split("validation")

    @property
    def test(self) -> Split:
        """Returns the test split; ArtifactError when it was not loaded."""
        return self._split("test")

    @property
    def model_preprocessing(self) -> Affine | None:
        """Returns the affine map that belongs inside the model, None when it is outside."""
        return self.preprocessing if self.placement == "model" else None

    def _split(self, name: str) -> Split:
        if name not in self.splits:
            raise ArtifactError(
                f"the {name} split was not loaded (loaded: {', '.join(self.splits) or 'none'}); "
                f"ask load_data for it"
            )
        return self.splits[name]
