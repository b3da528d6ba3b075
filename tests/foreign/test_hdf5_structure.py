"""HDF5 files whose objects lead elsewhere, or claim what they do not store, are not read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign import hdf5_structure
from pipeline.foreign.hdf5_structure import list_arrays


def listed(tmp_path: Path, build: Callable[[h5py.File], object]) -> list[str]:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.ones((3, 2), "f4")
        build(file)
    with h5py.File(path, "r") as file:
        return sorted(list_arrays(file, path))


def test_plain_arrays_are_listed(tmp_path: Path) -> None:
    def build(file: h5py.File) -> None:
        file["b"] = np.arange(3)
        file.create_dataset("packed", data=np.zeros(1000), compression="gzip", shuffle=True)
        file["scalar"] = np.float32(1)
        file["flags"] = np.array([True])
        file["none"] = np.zeros((0, 4))

    names = ["b", "flags", "layers/dense/vars/0", "none", "packed", "scalar"]
    assert listed(tmp_path, build) == names


def external_link(file: h5py.File) -> None:
    file["x"] = h5py.ExternalLink("/etc/hostname", "/x")


def soft_link(file: h5py.File) -> None:
    file["x"] = h5py.SoftLink("/layers/dense")


def dangling_link(file: h5py.File) -> None:
    file["x"] = h5py.SoftLink("/nowhere")


def second_name(file: h5py.File) -> None:
    file["x"] = file["layers/dense/vars/0"]


def cycle(file: h5py.File) -> None:
    file["layers/x"] = file["layers"]


def cycle_to_the_root(file: h5py.File) -> None:
    file["layers/x"] = file["/"]


def external_data(file: h5py.File) -> None:
    file.create_dataset("x", (4,), "u1", external=[("/etc/hostname", 0, 4)])


def virtual_data(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2,), "f4")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (2,))
    file.create_virtual_dataset("x", layout)


def texts(file: h5py.File) -> None:
    file["x"] = ["a", "b"]


def named_type(file: h5py.File) -> None:
    file["x"] = np.dtype("f4")


def references(file: h5py.File) -> None:
    file.create_dataset("x", (1,), h5py.ref_dtype)


def giant_shape(file: h5py.File) -> None:
    file.create_dataset("x", (10**6, 10**6), "f4")


def giant_packed_shape(file: h5py.File) -> None:
    file.create_dataset("x", (10**6, 10**6), "f4", chunks=(100, 100), compression="gzip")


def expanding(file: h5py.File) -> None:
    file.create_dataset("x", data=np.zeros(2_000_000, "f4"), compression="gzip")


def no_shape(file: h5py.File) -> None:
    file["x"] = h5py.Empty("f4")


def other_filter(file: h5py.File) -> None:
    file.create_dataset("x", data=np.zeros(1000, "f4"), compression="lzf")


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (external_link, "'x' is a link"),
        (soft_link, "'x' is a link"),
        (dangling_link, "'x' is a link"),
        (second_name, "is a second name of another member"),
        (cycle, "is a second name of another member"),
        (cycle_to_the_root, "is a second name of another member"),
        (external_data, "'x' is no array of this file itself"),
        (virtual_data, "'x' is no array of this file itself"),
        (texts, "'x' has dtype object, expected numbers"),
        (named_type, "'x' is no array of this file itself"),
        (references, "'x' has dtype object, expected numbers"),
        (giant_shape, r"'x' declares shape \(1000000, 1000000\), 4,000,000,000,000 bytes, of"),
        (giant_packed_shape, r"'x' declares shape \(1000000, 1000000\)"),
        (expanding, r"'x' declares shape \(2000000,\), 8,000,000 bytes, of which the file"),
        (no_shape, "'x' is an array without a shape"),
        (other_filter, "'x' is packed by the HDF5 filter 32000, which is not loaded"),
    ],
)
def test_what_is_no_plain_array_in_the_file(
    build: Callable[[h5py.File], object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(UntrustedModelError, match=words):
        listed(tmp_path, build)


def test_many_small_arrays_that_expand_together(tmp_path: Path) -> None:
    def build(file: h5py.File) -> None:
        for number in range(50):
            values = np.zeros(250_000, "f4")
            file.create_dataset(f"x{number}", data=values, chunks=True, compression="gzip")

    with pytest.raises(UntrustedModelError, match=r"'/' declares arrays of 50,000,024 bytes"):
        listed(tmp_path, build)


def test_too_deep_and_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_structure, "MAX_HDF5_DEPTH", 5)
    with pytest.raises(UntrustedModelError, match="'g/g/g/g/g/g' lies deeper than 5 groups"):
        listed(tmp_path, lambda file: file.create_group("/".join("g" * 7)))
    monkeypatch.setattr(hdf5_structure, "MAX_HDF5_OBJECTS", 6)
    with pytest.raises(UntrustedModelError, match="has more than 6 members"):
        listed(tmp_path, lambda file: [file.create_group(f"g{n}") for n in range(7)])
