"""What of an HDF5 file may be read: hard links, and arrays of numbers that lie in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import h5py

# The header of a damaged file may be whole: then h5py (3.x) raises one of these further in.
DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError)

# Below this many bytes, how well an array is packed says nothing.
SMALL_ARRAY_BYTES = 1 << 20
# Weights of a pruned layer pack about tenfold; a thousandfold is an attack.
MAX_EXPANSION = 100
# The numbers of HDF5's own filters: deflate, shuffle, fletcher32. Others would load a plugin.
_KNOWN_FILTERS = frozenset({1, 2, 3})
_MAX_ATTRIBUTE_ENTRIES = 100_000


def is_hard_link(group: h5py.Group, name: str) -> bool:
    """True for a link that stays in the file; soft and external ones could lead to another."""
    import h5py

    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def array_fault(found: Any) -> str | None:
    """Says why a member of a group is not read as an array; nothing of its values is touched.

    Args:
        found: an h5py object.

    Returns:
        The end of a sentence that begins with its name; None for a plain array of numbers.
    """
    import h5py

    if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
        return "is no array of this file itself, so it is not read"
    if found.dtype.kind not in "fiub":
        return f"has dtype {found.dtype}, expected numbers"
    settings = found.id.get_create_plist()
    filters = {settings.get_filter(number)[0] for number in range(settings.get_nfilters())}
    if not filters <= _KNOWN_FILTERS:
        return f"is packed by the HDF5 filter {max(filters - _KNOWN_FILTERS)}, which is not loaded"
    if found.shape is None:
        return "is an array without a shape"
    stored = found.id.get_storage_size()
    packed_well = MAX_EXPANSION if filters & {1} else 1
    allowed = max(stored * packed_well, SMALL_ARRAY_BYTES if filters & {1} else 0)
    if found.nbytes > allowed:
        return (
            f"declares shape {found.shape}, {found.nbytes:,} bytes, of which the file stores "
            f"{stored:,}"
        )
    return None


def read_names(group: h5py.Group, attribute: str) -> list[str]:
    """Reads a list of names; Keras cuts long ones into attribute0, attribute1, …

    Raises:
        ValueError: far more names than a model has.
        TypeError: the attribute is no list.
    """
    if attribute in group.attrs:
        return _name_list(group, attribute)
    names: list[str] = []
    number = 0
    while f"{attribute}{number}" in group.attrs:
        names += _name_list(group, f"{attribute}{number}")
        number += 1
    return names


def read_text(group: h5py.Group, attribute: str, max_bytes: int) -> str | None:
    """Reads an attribute that is one text; None if there is none.

    Raises:
        ValueError: longer than `max_bytes`, no text, or not UTF-8.
    """
    if attribute not in group.attrs:
        return None
    stored = group.attrs.get_id(attribute)
    if stored.shape != () or stored.get_storage_size() > max_bytes:
        raise ValueError(f"attribute '{attribute}' is no text of at most {max_bytes:,} bytes")
    value = group.attrs[attribute]
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    if not isinstance(value, str) or len(value) > max_bytes:
        raise ValueError(f"attribute '{attribute}' is no text of at most {max_bytes:,} bytes")
    return value


def _name_list(group: h5py.Group, attribute: str) -> list[str]:
    shape = group.attrs.get_id(attribute).shape
    if shape is None or len(shape) != 1 or shape[0] > _MAX_ATTRIBUTE_ENTRIES:
        raise TypeError(f"attribute '{attribute}' is no list of names")
    values = list(group.attrs[attribute])
    return [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in values]
