from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.preparation import Preparation, load_preparation, save_preparation
from pipeline.data.preprocessing import Affine
from pipeline.errors import ArtifactError
from pipeline.tasks.task import Task, classification


def preparation() -> Preparation:
    return Preparation(
        source="npz",
        task=classification(("a", "b")),
        input_shape=(4,),
        input_dtype="float32",
        part_digests={"train": "aa", "test": "bb"},
        split_parts={"train": "train", "validation": "train", "test": "test"},
        indices={
            "train": np.array([0, 2]),
            "validation": np.array([1, 3]),
            "test": np.array([0, 1]),
        },
        class_counts={"train": (1, 1), "validation": (1, 1), "test": (2, 0)},
        duplicates={"train": 0, "train/test": 1},
        affine=Affine((0.5, 0.1, 1.0, 2.0), (0.0, 1.0, 2.0, 3.0)),
        placement="sidecar",
    )


def test_round_trip(tmp_path: Path) -> None:
    saved = preparation()
    save_preparation(saved, tmp_path)
    loaded = load_preparation(tmp_path)
    assert replace(loaded, indices={}) == replace(saved, indices={})
    for name, indices in saved.indices.items():
        np.testing.assert_array_equal(loaded.indices[name], indices)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.json", "splits.npz"]


def test_names_of_images_and_the_encoding_survive(tmp_path: Path) -> None:
    files = {"train": (("a/1.png", "b/ü.png"), ("aa", "bb")), "test": (("test/a/1.png",), ("cc",))}
    encoding = {"kind": "images", "size": [8, 9], "channels": 1, "resize": "pad"}
    saved = replace(preparation(), files=files, encoding=encoding)
    save_preparation(saved, tmp_path)
    loaded = load_preparation(tmp_path)
    assert loaded.files == files
    assert loaded.encoding == encoding
    assert loaded.metrics()["encoding"] == "images"


def test_files_of_equal_preparations_are_equal(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_preparation(preparation(), tmp_path / name)
    for file in ("data.json", "splits.npz"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"part_digests": {"train": "ab", "test": "bb"}},
        {"indices": {**preparation().indices, "train": np.array([0, 3])}},
        {"affine": Affine(0.5, 0.0)},
        {"affine": None},
        {"placement": "model"},
        {"task": classification(("a", "c"))},
        {"task": Task("regression", 1, (), (2.0,), (0.0,))},
        {"input_shape": (2, 2)},
        {"input_dtype": "int32"},
        {"encoding": {"kind": "tokens", "tokens": 9}},
        {"split_parts": {"train": "train", "validation": "test", "test": "test"}},
    ],
)
def test_digest_covers_what_a_model_sees(change: dict[str, Any]) -> None:
    assert replace(preparation(), **change).digest != preparation().digest


def test_metrics_follow_the_contract() -> None:
    metrics = preparation().metrics()
    assert metrics["samples"] == {"train": 2, "validation": 2, "test": 2}
    assert metrics["class_counts"]["test"] == [2, 0]
    assert metrics["preprocessing"] == {
        "scale": [0.5, 0.1, 1.0, 2.0],
        "offset": [0.0, 1.0, 2.0, 3.0],
        "placement": "sidecar",
    }
    assert metrics == json.loads(json.dumps(metrics))
    assert replace(preparation(), affine=None).metrics()["preprocessing"] is None


@pytest.mark.parametrize("file", ["data.json", "splits.npz"])
@pytest.mark.parametrize("how", ["missing", "empty", "half"])
def test_torn_files_are_refused(tmp_path: Path, file: str, how: str) -> None:
    save_preparation(preparation(), tmp_path)
    path = tmp_path / file
    content = path.read_bytes()
    path.unlink()
    if how != "missing":
        path.write_bytes(b"" if how == "empty" else content[: len(content) // 2])
    with pytest.raises(ArtifactError, match="prepared data is missing or torn") as error:
        load_preparation(tmp_path)
    assert "\n" not in str(error.value)


def test_no_damaged_byte_is_a_bug(tmp_path: Path) -> None:
    # What zipfile, zlib and NumPy raise on damage is many types; all must become one.
    save_preparation(preparation(), tmp_path)
    path = tmp_path / "splits.npz"
    content, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for place in rng.integers(len(content), size=300):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            loaded = load_preparation(tmp_path)
        except ArtifactError:
            refused += 1
        else:  # a date or another field that changes nothing
            assert loaded.digest == preparation().digest
    assert refused > 150


def test_changed_indices_are_refused(tmp_path: Path) -> None:
    save_preparation(preparation(), tmp_path)
    indices: dict[str, Any] = {**preparation().indices, "train": np.array([1, 2])}
    np.savez(tmp_path / "splits.npz", **indices)
    with pytest.raises(ArtifactError, match="is not what its digest says"):
        load_preparation(tmp_path)


def test_other_format_is_refused(tmp_path: Path) -> None:
    save_preparation(preparation(), tmp_path)
    description = json.loads((tmp_path / "data.json").read_text())
    (tmp_path / "data.json").write_text(json.dumps({**description, "format": 99}))
    with pytest.raises(ArtifactError, match="is not what its digest says"):
        load_preparation(tmp_path)
