from __future__ import annotations

import contextlib
import datetime
import functools
import os
import pickle
from typing import Any

import numpy as np
import pytest

from pipeline.data.restricted_pickle import ALLOWED, UnsafePickleError, load_arrays
from pipeline.runtime import import_tensorflow


def test_arrays_lists_and_dictionaries_are_read() -> None:
    value = {"a": np.arange(3), b"b": [1, 2.5, None, "text"], "c": (np.array([1.0, 2.0]),)}
    found = load_arrays(pickle.dumps(value, protocol=4))
    np.testing.assert_array_equal(found["a"], value["a"])
    assert found[b"b"] == value[b"b"]
    np.testing.assert_array_equal(found["c"][0], [1, 2])


class _Calls:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "value",
    [
        _Calls(os.system, ("true",)),
        _Calls(eval, ("1",)),
        _Calls(getattr, (1, "real")),
        _Calls(functools.partial, (print,)),
        _Calls(np.load, ("file",)),
        _Calls(np.fromfile, ("/etc/hostname",)),
        datetime.date(2026, 1, 1),
        os.path.join,
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_anything_else_is_refused(value: Any, protocol: int) -> None:
    with pytest.raises(UnsafePickleError, match=r"asks for .*, expected arrays of numbers only"):
        load_arrays(pickle.dumps([value], protocol=protocol))


def test_dotted_names_do_not_reach_further() -> None:
    # Protocol 4 names attributes by dotted paths: numpy, "dtype.__class__".
    content = b"\x80\x04\x8c\x05numpy\x8c\x0fdtype.__class__\x93."
    with pytest.raises(UnsafePickleError, match=r"asks for numpy\.dtype\.__class__"):
        load_arrays(content)


def test_no_damaged_byte_is_a_bug() -> None:
    content, rng = pickle.dumps({"x": np.arange(50)}, protocol=2), np.random.default_rng(0)
    for place in rng.integers(len(content), size=300):
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        with contextlib.suppress(ValueError):
            load_arrays(bytes(damaged))


def test_the_names_are_those_of_keras() -> None:
    import_tensorflow()
    from keras.src.datasets import npz_utils

    assert ALLOWED == npz_utils._ALLOWED_PICKLE_GLOBALS
