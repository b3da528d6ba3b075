from __future__ import annotations

import hashlib

import numpy as np

from pipeline.data.arrays import Part, digest_part


def test_digest_is_the_sha256_over_dtype_shape_and_bytes() -> None:
    part = Part(np.array([[1, 2]], np.uint8), np.array([3], np.uint8))
    expected = hashlib.sha256(b"|u1(1, 2)\x01\x02|u1(1,)\x03").hexdigest()
    assert digest_part(part) == expected


def test_digest_does_not_depend_on_memory_order() -> None:
    x, y = np.arange(6.0).reshape(2, 3), np.arange(2)
    assert digest_part(Part(np.asfortranarray(x), y)) == digest_part(Part(x, y))


def test_digest_sees_value_shape_dtype_and_label() -> None:
    x, y = np.zeros((2, 2), np.int32), np.arange(2)
    changed = x.copy()
    changed[1, 1] = 1
    others = [
        Part(changed, y),
        Part(x.reshape(2, 1, 2), y),
        Part(x.astype(np.uint32), y),
        Part(x, y[::-1]),
    ]
    assert len({digest_part(part) for part in [Part(x, y), *others]}) == 5
