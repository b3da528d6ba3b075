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
