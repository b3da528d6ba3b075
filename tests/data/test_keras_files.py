from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.data.keras_files import CIFAR_FILES, read_cifar, read_pooled, read_split
from pipeline.data.restricted_pickle import load_arrays
from pipeline.errors import DataError
from pipeline.runtime import import_tensorflow

Writer = Callable[..., Path]
ROWS = np.arange(2 * 3072).astype(np.uint8).reshape(2, 3072)


def write_objects(path: Path, **arrays: Any) -> Path:
    """Writes lists of lists as arrays of objects, as Keras's files of words have them."""
    values = {}
    for name, value in arrays.items():
        values[name] = value
        if isinstance(value, list):
            values[name] = np.empty(len(value), object)
            values[name][:] = value
    np.savez(path, allow_pickle=True, **values)
    return path


def write_cifar(folder: Path, name: str, batch: Any = None) -> Path:
    """Writes an archive with two images in each batch."""
    labels = {"labels": [3, 7], "fine_labels": [0, 1], "coarse_labels": [1, 1]}
    content = {b"data": ROWS, **{key.encode(): value for key, value in labels.items()}}
    dumped = pickle.dumps(content if batch is None else batch, protocol=3)
    path = folder / f"{name}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for members in CIFAR_FILES[f"keras:{name}"].values():
            for member in members:
                entry = tarfile.TarInfo(member)
                entry.size = len(dumped)
                archive.addfile(entry, io.BytesIO(dumped))
    return path


def test_cifar_batches_are_joined_as_images(tmp_path: Path) -> None:
    source = read_cifar(write_cifar(tmp_path, "cifar10"), "keras:cifar10", None, None, "fine")
    train = source.parts["train"]
    assert train.x.shape == (10, 32, 32, 3) and train.y.tolist() == [3, 7] * 5
    assert source.parts["test"].x.shape == (2, 32, 32, 3)
    # A row is 1,024 red values, then green, then blue.
    assert train.x[0, 0, 1].tolist() == [ROWS[0, 1], ROWS[0, 1025], ROWS[0, 2049]]


def test_pickles_of_python_2_are_read() -> None:
    # What CIFAR's files have: numpy.core.multiarray, and strings (U) where Python 3 has bytes.
    old = (
        b"\x80\x02}(U\x06labels](K\x01K\x02eU\x04data"
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01(K\x02K\x03tcnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
        b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x06\x01\x02\x03\x04\x05\x06tbu."
    )
    found = load_arrays(old)
    assert found[b"data"].tolist() == [[1, 2, 3], [4, 5, 6]] and found[b"labels"] == [1, 2]


class _Evil:
    def __reduce__(self) -> Any:
        return (exec, ("import pathlib; pathlib.Path('ran').touch()",))


def test_pickle_that_runs_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_cifar(tmp_path, "cifar10", {b"data": _Evil(), b"labels": [1]})
    with pytest.raises(DataError, match=r"asks for builtins\.exec, .*nothing was run") as error:
        read_cifar(path, "keras:cifar10", None, None, "fine")
    assert "\n" not in str(error.value)
    words = write_objects(tmp_path / "imdb.npz", x_train=[[1], _Evil()], y_train=np.arange(2),
                          x_test=[[1]], y_test=np.arange(1))  # fmt: skip
    with pytest.raises(DataError, match=r"asks for builtins\.exec, .*nothing was run"):
        read_split(words, "keras:imdb", None, None, "fine")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "batch", [{}, {b"data": ROWS}, {b"data": ROWS[:, :9], b"labels": [1, 2]}, [1, 2],
              {b"data": ROWS, b"labels": [1]}],
)  # fmt: skip
def test_other_batches_are_refused(tmp_path: Path, batch: Any) -> None:
    path = write_cifar(tmp_path, "cifar10", batch)
    with pytest.raises(DataError, match=r"data_batch_1 (is not a whole batch|has 2 images)"):
        read_cifar(path, "keras:cifar10", None, None, "fine")


@pytest.mark.parametrize("keep", [0, 20, 0.5, 0.98])
def test_torn_archive_is_refused(tmp_path: Path, keep: float) -> None:
    path = write_cifar(tmp_path, "cifar100")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(DataError) as error:
        read_cifar(path, "keras:cifar100", None, None, "fine")
    assert "\n" not in str(error.value)


def test_damage_anywhere_is_found(tmp_path: Path) -> None:
    path, rng = write_cifar(tmp_path, "cifar100"), np.random.default_rng(0)
    content = path.read_bytes()
    for place in rng.integers(20, len(content), size=20):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(DataError):
            read_cifar(path, "keras:cifar100", None, None, "fine")


def test_coarse_labels_are_in_the_archive_alone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"coarse is read from cifar-100-python\.tar\.gz"):
        read_cifar(tmp_path / "a.npz", "keras:cifar100", None, None, "coarse")


def test_pooled_sets_are_cut_as_keras_does(
    write_npz: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_tensorflow()
    from keras.datasets import boston_housing
    from keras.src.datasets import boston_housing as module

    x = np.arange(500 * 13, dtype=np.float64).reshape(500, 13)
    path = write_npz(x=x, y=x[:, 0])
    monkeypatch.setattr(module, "get_file", lambda *given, **options: str(path))
    train, test = boston_housing.load_data()
    source = read_pooled(path, "keras:boston_housing", None, None, "fine")
    np.testing.assert_array_equal(source.parts["train"].x, train[0])
    np.testing.assert_array_equal(source.parts["test"].y, test[1])


def test_pooled_file_of_another_layout_is_refused(write_npz: Writer) -> None:
    path = write_npz(x_train=np.zeros((3, 13)), y_train=np.zeros(3))
    with pytest.raises(DataError, match="keras:boston_housing expects x, y and nothing else"):
        read_pooled(path, "keras:boston_housing", None, None, "fine")
    path = write_npz(x=np.zeros((3, 13)), y=np.zeros(2))
    with pytest.raises(DataError, match="x and y differ in length"):
        read_pooled(path, "keras:boston_housing", None, None, "fine")


def test_words_of_unequal_lengths_are_read(tmp_path: Path) -> None:
    path = write_objects(tmp_path / "a.npz", x=[[1, 2], [3], [4, 5, 6]] * 5, y=np.arange(15))
    source = read_pooled(path, "keras:reuters", frozenset({"train"}), None, "fine")
    assert list(source.parts) == ["train"] and len(source.parts["train"].x) == 12
    assert {len(row) for row in source.parts["train"].x} == {1, 2, 3}


@pytest.mark.parametrize("keep", [0, 40, 0.5, 0.95])
def test_torn_npz_is_refused(tmp_path: Path, keep: float) -> None:
    path = write_objects(tmp_path / "a.npz", x=[[1, 2], [3]] * 9, y=np.arange(18))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(DataError, match=r"a\.npz: not a whole \.npz file") as error:
        read_pooled(path, "keras:reuters", None, None, "fine")
    assert "\n" not in str(error.value)


def test_change_since_the_plan_is_refused(tmp_path: Path) -> None:
    paths = [write_objects(tmp_path / "a.npz", x=[[1]], y=np.arange(1))]
    paths.append(write_cifar(tmp_path, "cifar10"))
    for path, read, name in zip(
        paths, (read_pooled, read_cifar), ("keras:reuters", "keras:cifar10"), strict=True
    ):
        read(path, name, None, hashlib.sha256(path.read_bytes()).hexdigest(), "fine")
        with pytest.raises(DataError, match="changed after the run was planned"):
            read(path, name, None, "0" * 64, "fine")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.npz: No such file or directory; expected a read"):
        read_pooled(tmp_path / "gone.npz", "keras:reuters", None, None, "fine")
