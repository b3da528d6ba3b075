from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.data.prepared import PreparedData, Split
from pipeline.data.preprocessing import Affine
from pipeline.errors import ArtifactError
from pipeline.tasks.task import classification


def prepared(placement: str = "sidecar") -> PreparedData:
    split = Split(np.zeros((2, 3), np.float32), np.array([0, 1]))
    task = classification(("a", "b"))
    return PreparedData({"train": split}, task, (3,), Affine(0.5, 0.0), placement)


def test_loaded_split_is_returned() -> None:
    data = prepared()
    assert data.train is data.splits["train"]
    assert len(data.train) == 2


@pytest.mark.parametrize("name", ["validation", "test"])
def test_split_that_was_not_loaded_is_named(name: str) -> None:
    with pytest.raises(ArtifactError, match=rf"the {name} split was not loaded \(loaded: train\)"):
        getattr(prepared(), name)


def test_preprocessing_is_the_models_only_where_placed_there() -> None:
    assert prepared("sidecar").model_preprocessing is None
    assert prepared("model").model_preprocessing == Affine(0.5, 0.0)


@pytest.mark.parametrize(
    ("encoding", "tokens"),
    [
        (None, None),
        ({"kind": "images"}, None),
        ({"kind": "tokens", "tokens": 50}, 50),
        ({"kind": "text", "vocabulary": ["good", "bad"]}, 4),  # with padding and unknown
    ],
)
def test_tokens_are_those_of_the_encoding(encoding: dict[str, Any] | None, tokens: Any) -> None:
    assert replace(prepared(), encoding=encoding).tokens == tokens
