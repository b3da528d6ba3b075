"""What of an HDF5 file may be read; tests/foreign/test_hdf5_structure.py has each fault."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.models.hdf5_members import array_fault, is_hard_link, read_names, read_text


@pytest.fixture
def file(tmp_path: Path) -> h5py.File:
    with h5py.File(tmp_path / "a.h5", "w") as opened:
        yield opened


def test_links_and_arrays(file: h5py.File) -> None:
    file["x"] = np.zeros(3)
    file["soft"] = h5py.SoftLink("/x")
    assert is_hard_link(file, "x") and not is_hard_link(file, "soft")
    assert array_fault(file["x"]) is None
    assert array_fault(file) == "is no array of this file itself, so it is not read"


def test_small_arrays_may_be_packed_well(file: h5py.File) -> None:
    small = file.create_dataset("s", data=np.zeros(200_000, "f4"), compression="gzip")
    large = file.create_dataset("l", data=np.zeros(2_000_000, "f4"), compression="gzip")
    file.flush()
    assert array_fault(small) is None
    assert str(array_fault(large)).startswith("declares shape (2000000,), 8,000,000 bytes, of")


def test_names_in_one_list_or_cut_into_several(file: h5py.File) -> None:
    file.attrs["whole"] = ["a", "b"]
    file.attrs["cut0"], file.attrs["cut1"] = [b"a"], [b"b", b"c"]
    assert read_names(file, "whole") == ["a", "b"]
    assert read_names(file, "cut") == ["a", "b", "c"]
    assert read_names(file, "none") == []
    file.attrs["number"] = 3
    with pytest.raises(TypeError, match="attribute 'number' is no list of names"):
        read_names(file, "number")


def test_texts_are_bounded(file: h5py.File) -> None:
    file.attrs["text"], file.attrs["bytes"] = "äb", np.bytes_(b"ab")
    assert read_text(file, "text", 100) == "äb" and read_text(file, "bytes", 100) == "ab"
    assert read_text(file, "none", 100) is None
    file.attrs["long"], file.attrs["numbers"] = "x" * 101, [1, 2]
    file.attrs["latin"] = np.bytes_("ä".encode("latin-1"))
    for name in ("long", "numbers"):
        with pytest.raises(ValueError, match=f"attribute '{name}' is no text of at most 100 bytes"):
            read_text(file, name, 100)
    with pytest.raises(ValueError, match="utf-8"):
        read_text(file, "latin", 100)
