"""`model.weights`: a file whose arrays a network starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

WEIGHT_FILES = (".h5", ".npz", ".keras")


def check_form(weights: Any) -> Any:
    """Refuses a file whose ending tells that it holds no weights; ValueError."""
    if isinstance(weights, Path) and weights.suffix not in WEIGHT_FILES:
        raise ValueError(
            f"received '{weights}', expected none, imagenet or a file that ends in "
            f"{', '.join(WEIGHT_FILES)}"
        )
    return weights


# Of keras.applications, which have weights in the network; and of our own architectures.
Weights = Annotated[Literal["none", "imagenet"] | Path, AfterValidator(check_form)]
OwnWeights = Annotated[Literal["none"] | Path, AfterValidator(check_form)]
OWN_WEIGHTS = (
    "none: as the initializer draws them; else a local file (.weights.h5, .h5, .npz or .keras) "
    "whose weights are read"
)
