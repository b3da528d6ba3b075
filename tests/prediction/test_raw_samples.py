"""Files and texts as samples of a model; what cannot be read is refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import DataError
from pipeline.prediction.raw_samples import read_samples

TEXT = {
    "kind": "text", "vocabulary": ["good", "bad"], "length": 3, "padding": "after",
    "column": "text", "delimiter": None, "quotes": True, "file_columns": ["text", "label"],
}  # fmt: skip


def sidecar(*shape: int, encoding: Any = None, preprocessing: Any = None) -> dict[str, Any]:
    tensor = {"shape": [1, *shape]}
    return {"inputs": [tensor], "encoding": encoding, "preprocessing": preprocessing}


def test_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(6).reshape(2, 3))
    found = read_samples([str(tmp_path / "x.npy")], sidecar(3))
    assert found.x.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found.notes == ()


def test_a_text_itself_and_a_file_of_texts(tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("Good, good!\nso bad\n", encoding="utf-8")
    found = read_samples(["bad good", str(file)], sidecar(3, encoding=TEXT))
    # 0 is padding, 1 unknown, then the vocabulary
    assert found.x.tolist() == [[3, 2, 0], [2, 2, 0], [1, 3, 0]]
    assert found.sources == ("bad good", str(file), str(file))


def test_a_file_that_is_not_there_is_no_text() -> None:
    with pytest.raises(DataError, match=r"nowhere\.txt: no such file; expected a text"):
        read_samples(["nowhere.txt"], sidecar(3, encoding=TEXT))
    long = read_samples(["good " * 2000], sidecar(3, encoding=TEXT))
    assert long.x.tolist() == [[2, 2, 2]]


def test_an_image_for_a_model_of_arrays_is_scaled_to_its_range(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.fromarray(np.full((4, 4), 255, np.uint8)).save(tmp_path / "white.png")
    steps = {"scale": 1 / 16, "offset": 0.0, "placement": "sidecar"}
    found = read_samples([str(tmp_path / "white.png")], sidecar(2, 2, 1, preprocessing=steps))
    np.testing.assert_allclose(found.x, np.full((1, 2, 2, 1), 16.0), rtol=1e-6)
    assert "grey values from 0 to 16, resized to 2×2" in found.notes[0]
    plain = read_samples([str(tmp_path / "white.png")], sidecar(2, 2, 3))
    assert plain.x.shape == (1, 2, 2, 3)
    assert plain.x.max() == 255
    with pytest.raises(DataError, match="takes arrays of shape \\(5,\\), not images"):
        read_samples([str(tmp_path / "white.png")], sidecar(5))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 4)), r"shape \(2, 4\), expected \(n, 3\)"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        (np.array([[0, 0, 0], [0, np.inf, 0]]), "sample 1 has a value that is NaN or infinite"),
        (np.array([["a", "b", "c"]]), "expected numbers"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, values: np.ndarray, message: str) -> None:
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(DataError, match=message):
        read_samples([str(tmp_path / "x.npy")], sidecar(3))


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00"])
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npy"):
        read_samples([str(path)], sidecar(3))


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(DataError, match=r"x\.npy"):
        read_samples([str(tmp_path / "x.npy")], sidecar(3))


def test_endings_that_the_model_does_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    with pytest.raises(DataError, match=r"expected \.npy"):
        read_samples([str(tmp_path / "x.pdf")], sidecar(3))
    with pytest.raises(DataError, match="no such file"):
        read_samples([str(tmp_path)], sidecar(3))
