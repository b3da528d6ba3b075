"""How large a file is: as it is, and after the two compressors people ship with."""

from __future__ import annotations

import gzip
import lzma
from dataclasses import asdict, dataclass

GZIP_LEVEL = 9
XZ_PRESET = 9


@dataclass(frozen=True)
class Sizes:
    """Bytes of one file, raw and compressed.

    Attributes:
        size_bytes: as it is.
        gzip_bytes: gzip, level 9, without name and time (RFC 1952).
        xz_bytes: xz, preset 9.
    """

    size_bytes: int
    gzip_bytes: int
    xz_bytes: int

    def to_json(self) -> dict[str, int]:
        """Returns the three figures under their names."""
        return asdict(self)


def gzip_size(data: bytes) -> int:
    """Returns the bytes that `data` takes after gzip level 9 with no time stamp."""
    return len(gzip.compress(data, compresslevel=GZIP_LEVEL, mtime=0))


def sizes(data: bytes) -> Sizes:
    """Measures `data` raw, gzipped and xz'd.

    Args:
        data: the whole content of a file.

    Returns:
        The three sizes in bytes; equal input gives equal sizes.
    """
    return Sizes(len(data), gzip_size(data), len(lzma.compress(data, preset=XZ_PRESET)))
