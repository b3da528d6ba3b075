"""Checkpoints come back with the same bits, or not at all."""

from __future__ import annotations

import errno
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ArtifactError, StorageError
from pipeline.training.checkpoint import (
    decode_checkpoint,
    load_checkpoint,
    save_checkpoint,
)

ARRAYS = {
    "weights": np.array([[1.5, -0.0], [np.nan, np.inf]], np.float32),
    "iterations": np.array(7, np.int64),
    "empty": np.empty((0, 3), np.float32),
    "flags": np.array([True, False]),
    "seed": np.array([1, 2**32 - 1], np.uint32),
    "double": np.array([1 / 3]),
}


def test_every_bit_comes_back(tmp_path: Path) -> None:
    state = {"history": [{"loss": 1 / 3}], "best": None, "wait": 2, "name": "é"}
    save_checkpoint(tmp_path, 3, ARRAYS, state)
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert (loaded.epoch, loaded.state) == (3, state)
    assert list(loaded.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert loaded.arrays[name].dtype == array.dtype
        assert loaded.arrays[name].shape == array.shape
        assert loaded.arrays[name].tobytes() == array.tobytes()


def test_arrays_that_are_not_contiguous_are_stored_in_c_order(tmp_path: Path) -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4).T
    save_checkpoint(tmp_path, 1, {"a": array}, {})
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    np.testing.assert_array_equal(loaded.arrays["a"], array)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for epoch in range(1, 12):
        save_checkpoint(tmp_path, epoch, {}, {})
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["epoch-00000010.checkpoint", "epoch-00000011.checkpoint"]


def test_no_folder_and_an_empty_folder_hold_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "absent") is None
    assert load_checkpoint(tmp_path) is None


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty", "foreign"])
def test_a_damaged_newest_one_falls_back_to_the_one_before(tmp_path: Path, damage: str) -> None:
    save_checkpoint(tmp_path, 1, ARRAYS, {})
    newest = save_checkpoint(tmp_path, 2, ARRAYS, {})
    data = bytearray(newest.read_bytes())
    if damage == "torn":
        data = data[:-1]
    elif damage == "flipped":
        data[-3] ^= 1
    elif damage == "empty":
        data = bytearray()
    else:
        data[:8] = b"PK\x03\x04zip!"
    newest.write_bytes(data)
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded.epoch == 1


class MadeWhenAsked(Mapping[str, np.ndarray]):
    """Makes each array when it is asked for, and counts how many are alive."""

    def __init__(self, count: int) -> None:
        self.count, self.alive, self.most = count, 0, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[str]:
        return iter([f"array {number}" for number in range(self.count)])

    def __getitem__(self, name: str) -> np.ndarray:
        array = np.full(4, int(name.split()[1]), np.int32)
        self.alive += 1
        self.most = max(self.most, self.alive)
        weakref.finalize(array, self._let_go)
        return array

    def _let_go(self) -> None:
        self.alive -= 1


def test_one_array_is_held_at_a_time(tmp_path: Path) -> None:
    arrays = MadeWhenAsked(20)
    save_checkpoint(tmp_path, 1, arrays, {})
    assert arrays.most <= 2
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert [array.tolist() for array in loaded.arrays.values()] == [[n] * 4 for n in range(20)]


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    data = save_checkpoint(tmp_path, 1, {"a": np.arange(3.0)}, {"b": 1}).read_bytes()
    for length in range(len(data)):
        with pytest.raises(ArtifactError, match="checkpoint"):
            decode_checkpoint(data[:length])


def test_objects_and_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'a' has dtype object"):
        save_checkpoint(tmp_path, 1, {"a": np.array([{}])}, {})
    with pytest.raises(ValueError, match="JSON"):
        save_checkpoint(tmp_path, 1, {}, {"best": float("nan")})


def test_a_full_disk_is_a_storage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, 1, ARRAYS, {})

    def no_space(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(StorageError, match="No space left on device"):
        save_checkpoint(tmp_path, 2, ARRAYS, {})
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded.epoch == 1
