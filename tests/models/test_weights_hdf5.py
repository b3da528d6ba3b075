"""Damage inside an HDF5 file of weights is told in one line, wherever it shows."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.errors import UntrustedModelError
from pipeline.models.weights_hdf5 import hdf5_layers


def test_an_array_that_cannot_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    values = np.arange(1000, dtype=np.float32)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["dense"]
        group = file.create_group("dense")
        group.attrs["weight_names"] = ["kernel"]
        array = group.create_dataset("kernel", data=values, chunks=(1000,), compression="gzip")
        chunk = array.id.get_chunk_info(0)
    with hdf5_layers(path, []) as stored:
        np.testing.assert_array_equal(stored["dense"][0].read(), values)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    with (
        hdf5_layers(path, []) as stored,
        pytest.raises(UntrustedModelError, match=r"a\.h5: not a whole HDF5 file \(.+\); save"),
    ):
        stored["dense"][0].read()


def test_names_of_another_kind(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = 3
    with (
        pytest.raises(UntrustedModelError, match="not a whole HDF5 file"),
        hdf5_layers(tmp_path / "a.h5", []),
    ):
        pass
