"""The pure parts of the child process: representative samples in batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.tflite.convert import _write_samples
from pipeline.tflite.convert_worker import load_samples, read_input_shapes, representative_batches
from tests.tflite.conftest import Converted

X = np.arange(10, dtype=np.float32).reshape(5, 2)


def test_the_only_input_needs_no_name_and_only_whole_batches_count() -> None:
    batches = list(representative_batches({"": X}, {"image": (2, 2)}))
    assert [batch["image"].tolist() for batch in batches] == [X[:2].tolist(), X[2:4].tolist()]


@pytest.mark.parametrize(
    ("samples", "shapes", "message"),
    [
        ({"": X}, {"a": (1, 2), "b": (1, 2)}, r"for inputs \[''\], not \['a', 'b'\]"),
        ({"": X}, {"a": (1, 3)}, r"of shape \(5, 2\) for input 'a' \(1, 3\)"),
        ({"a": X}, {"a": (6, 2)}, "fewer representative samples than one batch of 6"),
    ],
)
def test_samples_that_do_not_fit(
    samples: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        list(representative_batches(samples, shapes))


@pytest.mark.parametrize("names", [("",), ("file", "input:x")])
def test_samples_survive_the_way_to_the_child(names: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    _write_samples(path, X if names == ("",) else dict.fromkeys(names, X))
    loaded = load_samples(path)
    assert sorted(loaded) == sorted(names)
    assert all(np.array_equal(values, X) for values in loaded.values())


def test_input_shapes_of_a_saved_model(converted: Converted) -> None:
    assert read_input_shapes(converted.saved_model) == {"image": (1, 8, 8, 2)}
