from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.data.npz import find_parts, read_npz
from pipeline.errors import DataError
from tests.data.conftest import small_arrays

Writer = Callable[..., Path]


def test_plain_arrays_are_one_part(write_npz: Writer) -> None:
    arrays = small_arrays()
    source = read_npz(write_npz(**arrays))
    assert list(source.parts) == ["all"]
    np.testing.assert_array_equal(source.parts["all"].x, arrays["x"])
    np.testing.assert_array_equal(source.parts["all"].y, arrays["y"])
    assert source.class_names is None


def test_only_the_asked_parts_are_read(write_npz: Writer) -> None:
    x, y = small_arrays().values()
    path = write_npz(x_train=x, y_train=y, x_val=x[:6], y_val=y[:6], x_test=x[:3], y_test=y[:3])
    assert list(read_npz(path).parts) == ["train", "validation", "test"]
    assert list(read_npz(path, frozenset({"test"})).parts) == ["test"]


@pytest.mark.parametrize("names", [np.array(["cat", "dög"]), np.array([b"cat", "dög".encode()])])
def test_class_names_come_along(write_npz: Writer, names: np.ndarray) -> None:
    path = write_npz(**small_arrays(), class_names=names)
    assert read_npz(path).class_names == ("cat", "dög")


def test_class_names_that_are_no_strings_are_refused(write_npz: Writer) -> None:
    path = write_npz(**small_arrays(), class_names=np.arange(3))
    with pytest.raises(DataError, match=r"class_names has dtype int64 and shape \(3,\); expected"):
        read_npz(path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"x_train", "y_train", "z"}, r"received the arrays x_train, y_train, z; unknown: z; exp"),
        ({"x_train", "x_test", "y_test"}, "y_train is missing; expected"),
        ({"y_train"}, "x_train is missing; expected"),
        ({"x", "y", "x_test"}, "y_test is missing"),
        ({"x", "y", "x_test", "y_test"}, "both plain x, y and split arrays"),
        ({"x_test", "y_test"}, "training data is missing"),
        (set(), r"received the arrays \(none\); training data is missing"),
    ],
)
def test_wrong_arrays_are_named(names: set[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        find_parts("data.npz", names)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.npz: No such file or directory; expected"):
        read_npz(tmp_path / "gone.npz")


def test_samples_without_labels_are_for_reconstruction(write_npz: Writer) -> None:
    x = small_arrays()["x"]
    parts = read_npz(write_npz(x_train=x, x_test=x[:3])).parts
    assert list(parts) == ["train", "test"]
    assert parts["train"].y is None and len(parts["test"].x) == 3


@pytest.mark.parametrize("keep", [0, 10, 0.3, 0.5, 0.9, 0.99])
def test_torn_file_is_refused(write_npz: Writer, keep: float) -> None:
    path = write_npz(**small_arrays(500))
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else keep * len(data))])
    with pytest.raises(DataError, match=r"not a whole \.npz file"):
        read_npz(path)


def test_damaged_member_is_refused(write_npz: Writer) -> None:
    path = write_npz(**small_arrays(500))
    data = bytearray(path.read_bytes())
    data[1000] ^= 0xFF  # inside x: the zip's CRC tells
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"data\.npz: x: not a whole \.npz file"):
        read_npz(path)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_no_damaged_byte_is_a_bug(save: Callable[..., None], tmp_path: Path) -> None:
    path, rng = tmp_path / "data.npz", np.random.default_rng(0)
    save(path, **small_arrays())
    content = path.read_bytes()
    refused = 0
    for place in rng.integers(len(content), size=300):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            read_npz(path)
        except DataError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 150


def test_a_single_array_is_samples_without_answers(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.arange(6.0).reshape(3, 2))
    source = read_npz(path)
    assert list(source.parts) == ["all"]
    assert source.parts["all"].x.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert source.parts["all"].y is None


def test_python_objects_are_never_unpickled(write_npz: Writer, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "trapped",))  # type: ignore[return-value]

    path = write_npz(x=np.array([Trap()], dtype=object), y=np.array([0]))
    with pytest.raises(DataError, match="x holds Python objects, expected a plain array"):
        read_npz(path)
    assert not (tmp_path / "trapped").exists()


def test_content_is_compared_with_the_plan(write_npz: Writer) -> None:
    path = write_npz(**small_arrays())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert list(read_npz(path, None, digest).parts) == ["all"]
    with pytest.raises(DataError, match="changed after the run was planned"):
        read_npz(path, None, "0" * 64)
