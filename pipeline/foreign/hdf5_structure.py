"""The structure of an HDF5 file: every object is looked at before one value is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UntrustedModelError
from pipeline.foreign.limits import MAX_FILE_BYTES, MAX_HDF5_DEPTH, MAX_HDF5_OBJECTS
from pipeline.models.hdf5_members import (
    MAX_EXPANSION,
    SMALL_ARRAY_BYTES,
    array_fault,
    is_hard_link,
)

if TYPE_CHECKING:
    import h5py


def list_arrays(file: h5py.File, path: Path) -> dict[str, Any]:
    """Walks all of a file.

    Args:
        file: open for reading.
        path: for messages.

    Returns:
        Path inside the file → h5py.Dataset, not read yet; a plain array of numbers each.

    Raises:
        UntrustedModelError: links other than hard ones, cycles, arrays outside the file or of
            something else than numbers, or declared sizes that the file does not store.
    """
    import h5py

    arrays: dict[str, Any] = {}
    seen = {h5py.h5o.get_info(file.id).addr}
    waiting: list[tuple[str, Any, int]] = [("", file, 0)]
    while waiting:
        prefix, group, depth = waiting.pop()
        if depth > MAX_HDF5_DEPTH:
            raise _refusal(path, prefix, f"lies deeper than {MAX_HDF5_DEPTH} groups")
        if len(seen) + len(group) > MAX_HDF5_OBJECTS:
            raise _refusal(path, prefix or "/", f"has more than {MAX_HDF5_OBJECTS:,} members")
        for name in group:
            full_name = f"{prefix}/{name}" if prefix else name
            if not is_hard_link(group, name):
                raise _refusal(path, full_name, "is a link, so it is not followed")
            found = group[name]
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                raise _refusal(path, full_name, "is a second name of another member")
            seen.add(address)
            if isinstance(found, h5py.Group):
                waiting.append((full_name, found, depth + 1))
                continue
            fault = array_fault(found)
            if fault is not None:
                raise _refusal(path, full_name, fault)
            arrays[full_name] = found
    _check_total(arrays, path)
    return arrays


def _check_total(arrays: dict[str, Any], path: Path) -> None:
    """Bounds what all arrays unpack to: many small ones could hide what one large may not."""
    total = sum(array.nbytes for array in arrays.values())
    packed = max(path.stat().st_size * MAX_EXPANSION, SMALL_ARRAY_BYTES)
    if total > min(MAX_FILE_BYTES, packed):
        raise _refusal(path, "/", f"declares arrays of {total:,} bytes in all")


def _refusal(path: Path, name: str, fault: str) -> UntrustedModelError:
    return UntrustedModelError(f"{path}: '{name[:200]}' {fault}; save the model again with Keras")
