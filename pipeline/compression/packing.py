"""Values of fewer than eight bits, packed into bytes."""

from __future__ import annotations

import numpy as np


def unpack_signed(packed: np.ndarray, num_bits: int, count: int) -> np.ndarray:
    """Unpacks signed integers of 2 or 4 bits, the lowest bits of a byte first.

    Args:
        packed: uint8.
        num_bits: 2 or 4.
        count: elements to return; a last byte may be filled up.

    Returns:
        int8 (count,).
    """
    shifts = np.arange(0, 8, num_bits, dtype=np.uint8)
    codes = (packed[:, None] >> shifts).reshape(-1)[:count] & ((1 << num_bits) - 1)
    sign = 1 << (num_bits - 1)
    return ((codes.astype(np.int16) ^ sign) - sign).astype(np.int8)


def pack_signed(values: np.ndarray, num_bits: int) -> np.ndarray:
    """Packs signed integers of 2 or 4 bits, the lowest bits of a byte first.

    Args:
        values: int8 (count,), in the range of `num_bits`.
        num_bits: 2 or 4.

    Returns:
        uint8 (⌈count · num_bits / 8⌉,); a last byte is filled up with zeros.
    """
    per_byte = 8 // num_bits
    codes = values.astype(np.uint8) & ((1 << num_bits) - 1)
    whole = np.pad(codes, (0, -len(codes) % per_byte)).reshape(-1, per_byte)
    shifts = np.arange(0, 8, num_bits, dtype=np.uint8)
    return np.bitwise_or.reduce(whole << shifts, axis=1).astype(np.uint8)
