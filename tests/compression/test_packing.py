"""Packing and unpacking of 2- and 4-bit integers."""

from __future__ import annotations

import numpy as np

from pipeline.compression.packing import pack_signed, unpack_signed


def test_four_bits_low_nibble_first_and_signed() -> None:
    # 0x7f: low 0xf = -1, high 0x7 = 7; 0x08: low 0x8 = -8, high 0 is filling.
    packed = np.array([0x7F, 0x08], np.uint8)
    assert unpack_signed(packed, 4, 3).tolist() == [-1, 7, -8]


def test_two_bits_lowest_first_and_signed() -> None:
    # 0b11_10_01_00: 0, 1, -2, -1 from the lowest bits up.
    assert unpack_signed(np.array([0b11100100], np.uint8), 2, 4).tolist() == [0, 1, -2, -1]
    assert unpack_signed(np.array([0b11100100], np.uint8), 2, 4).dtype == np.int8


def test_packing_fills_the_last_byte_with_zeros() -> None:
    assert pack_signed(np.array([-1, 7, -8], np.int8), 4).tolist() == [0x7F, 0x08]
    assert pack_signed(np.array([0, 1, -2, -1, 1], np.int8), 2).tolist() == [0b11100100, 0b01]
