"""Zero-order entropy of stored values: the limit of any code that codes each value by itself.

Shannon, "A mathematical theory of communication" (1948). Such a code (Huffman's, an arithmetic
one) knows how often each value occurs, and nothing of what stands beside it. Codes that use
repeats or neighbours, as gzip and xz do, can be shorter. The table of the code is not counted.
"""

from __future__ import annotations

import numpy as np

BITS_PER_BYTE = 8


def entropy_bits(counts: np.ndarray) -> float:
    """Returns H = −Σ p · log2 p, the mean bits of a value.

    Args:
        counts: integers (k,), how often each value occurs; zeros among them add nothing.

    Returns:
        Bits per value, from 0.0 (one value, or none) to log2 k.
    """
    occurring = counts[counts > 0].astype(np.float64)
    if occurring.size < 2:
        return 0.0
    shares = occurring / occurring.sum()
    return float(-(shares * np.log2(shares)).sum())


def entropy_bytes(counts: np.ndarray) -> float:
    """Returns the bytes of all values at their entropy, n · H / 8.

    Args:
        counts: integers (k,), how often each value occurs; n is their sum.
    """
    return entropy_bits(counts) * float(counts.sum()) / BITS_PER_BYTE
