from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.foreign.foreign_model import ForeignModel
from pipeline.recipe.given import run_name, take_data, understand
from pipeline.recipe.steps import Wishes


@pytest.mark.parametrize(
    ("text", "name"),
    [("model", "model"), ("my model (1)", "my_model_1_"), ("../..", "compressed"), ("_x", "x")],
)
def test_a_run_is_named_after_its_model(text: str, name: str) -> None:
    assert run_name(text) == name


@pytest.mark.parametrize(
    ("given", "arrays"),
    [
        ((np.ones((2, 3)), np.arange(2)), {"x", "y"}),
        (np.ones((2, 3)), {"x"}),
        ({"x_train": np.ones((2, 3)), "y_train": np.arange(2)}, {"x_train", "y_train"}),
    ],
)
def test_arrays_are_written_beside_the_run(given: Any, arrays: set[str], tmp_path: Path) -> None:
    section = take_data(given, tmp_path)
    with np.load(section["path"]) as archive:
        assert set(archive.files) == arrays
    assert take_data("digits", tmp_path) == {"source": "digits"}


def test_token_ids_and_the_task_are_understood() -> None:
    import keras

    inputs = keras.Input((6,))
    x = keras.layers.Flatten()(keras.layers.Embedding(9, 2)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    found = ForeignModel(model, "live model", None, ())
    section, notes = understand(found, {"source": "digits"}, Wishes(), labelled=True)
    assert section["preprocessing"] == {"kind": "tokens"}
    assert section["task"] == "classification"
    assert any("samples are token ids" in note for note in notes)
    assert any("give x_val, y_val" in note for note in notes)
    section, notes = understand(found, {"source": "npz", "path": "x.npy"}, Wishes(), labelled=False)
    assert section["task"] == "parity"
    assert not any("x_val" in note for note in notes)
    section, _ = understand(found, {"source": "digits"}, Wishes(task="multi_label"), labelled=True)
    assert section["task"] == "multi_label"
