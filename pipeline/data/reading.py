"""Faults of data that is read while TensorFlow runs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from pipeline.errors import DataError

_TOLD = re.compile(r"\bDataError: (.+?)\nTraceback", re.DOTALL)


@contextlib.contextmanager
def data_errors() -> Iterator[None]:
    """Raises again, as itself, a DataError that crossed TensorFlow's input pipeline.

    tf.numpy_function hands an exception of Python over as the text of an UnknownError
    (tensorflow 2.21.0), so a picture that is deleted during the training would look like a bug.
    """
    try:
        yield
    except Exception as error:
        told = _TOLD.search(str(error)) if type(error).__module__.startswith("tensorflow") else None
        if told is None:
            raise
        raise DataError(" ".join(told[1].split())) from error
