"""`python:package.module:function`: samples from the user's own code, run because asked for."""

from __future__ import annotations

import contextlib
import importlib
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import DataError

if TYPE_CHECKING:
    from pipeline.data.arrays import SourceArrays

EXPECTED = (
    "expected a dictionary of arrays: x_train, y_train and perhaps x_val, y_val, x_test, y_test, "
    "or plain x, y; class_names may come along, and data.task reconstruction and parity need no y"
)


def describe_function(source: str) -> dict[str, Any]:
    """Describes what a function gives, without calling it; its module is imported.

    Args:
        source: "python:package.module:function".

    Returns:
        {"version"}: what the attribute `version` of the function, else of its module, says;
        {"called"}: the time, where neither has one, so that no two descriptions are equal.

    Raises:
        DataError: the module cannot be imported or has no such function.
    """
    function = _find(source)
    module = sys.modules[_split(source)[0]]
    version = getattr(function, "version", getattr(module, "version", None))
    if version is None:
        return {"called": time.time_ns()}
    if not isinstance(version, str | int | float):
        raise DataError(
            f"data.source {source}: version is {type(version).__name__}, expected text or a number"
        )
    return {"version": str(version)}


def read_function(source: str, parts: frozenset[str] | None = None) -> SourceArrays:
    """Calls the function and takes the arrays it returns.

    Args:
        source: "python:package.module:function"; the function takes no arguments.
        parts: parts to keep; None for all.

    Returns:
        The arrays, not yet validated.

    Raises:
        DataError: the code raised (naming file and line), or returned something else.
    """
    function = _find(source)
    values = _run(source, function)
    if not isinstance(values, Mapping):
        raise DataError(f"data.source {source}: returned {type(values).__name__}; {EXPECTED}")
    return read_arrays(source, values, parts)


def read_arrays(
    origin: str, values: Mapping[Any, Any], parts: frozenset[str] | None
) -> SourceArrays:
    """Takes a dictionary of arrays apart, under the names that `.npz` files have too.

    Args:
        origin: for messages.
        values: name → array, or what NumPy makes one of; None stands for nothing.
        parts: parts to keep; None for all.

    Raises:
        DataError: other names than expected, or rows of unequal length.
    """
    import numpy as np

    from pipeline.data.arrays import PART_ARRAYS, Part, SourceArrays
    from pipeline.data.npz import CLASS_NAMES, find_parts

    given = {str(name): value for name, value in values.items() if value is not None}
    names = given.pop(CLASS_NAMES, None)
    arrays = {}
    for name, value in given.items():
        try:
            arrays[name] = np.asarray(value)
        except ValueError as error:
            raise DataError(f"{origin}: {name} is no array of one shape ({error})") from error
    present = find_parts(origin, set(arrays))
    found = {
        part: Part(arrays[PART_ARRAYS[part][0]], arrays.get(PART_ARRAYS[part][1]))
        for part in present
        if parts is None or part in parts
    }
    return SourceArrays(origin, found, None if names is None else tuple(str(n) for n in names))


def _split(source: str) -> tuple[str, str]:
    module, _, function = source.removeprefix("python:").partition(":")
    return module, function


def _find(source: str) -> Callable[[], Any]:
    module_name, name = _split(source)
    # A console script starts without the current folder on the path; `python -m` has it as "".
    folder = str(Path.cwd())
    if folder not in sys.path and "" not in sys.path:
        sys.path.insert(0, folder)
    module = _run(source, lambda: importlib.import_module(module_name))
    function = getattr(module, name, None)
    if not callable(function):
        what = "has no" if function is None else "has no callable"
        raise DataError(f"data.source {source}: {module.__file__} {what} {name}")
    found: Callable[[], Any] = function
    return found


def _run(source: str, call: Callable[[], Any]) -> Any:
    """Runs the user's code; what it raises becomes one line that names file and line.

    What it prints goes to stderr: stdout is the command's own, one object with --json.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return call()
    except DataError:
        raise
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if f.filename != __file__ and "importlib" not in f.filename]
        place = f" at {own[-1].filename}:{own[-1].lineno}" if own else ""
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise DataError(f"data.source {source}: {reason}{place}") from error
