"""Mutated model files: no crash, no hang, only Slimline's own errors, or the model itself.

Damaged HDF5 could crash the library that reads it, so that part runs in a forked process, under
the limits of the real child; the rest runs here, by the functions that load_foreign calls.
"""

from __future__ import annotations

import copy
import json
import os
import resource
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import SlimlineError, UntrustedModelError
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.load import rebuild_contents
from pipeline.foreign.read_child import read_file
from pipeline.foreign.reading import FileContents, collect

EXAMPLES = int(os.environ.get("SLIMLINE_MUTATIONS", "8"))
QUICK = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="SLIMLINE_MUTATIONS" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)
FORMATS = ("keras.keras", "keras.h5", "tf_keras.keras", "tf_keras.h5")


@pytest.fixture(scope="module")
def contents(good_files: dict[str, Path]) -> dict[str, FileContents]:
    """What is in the good files, read once."""
    found = {}
    for name, path in good_files.items():
        with tempfile.TemporaryDirectory() as folder:
            read_file(path, Path(folder))
            found[name] = collect(path, Path(folder))
    return found


def read_in_fork(path: Path, folder: Path) -> None:
    """Reads a file as the child does; its death is what the parent would refuse."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            read_file(path, folder)
            code = 0
        except (SlimlineError, MemoryError, OSError, RecursionError):
            code = 5
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    # A bug in our own code would be another exception, and exit code 1.
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) in (0, 5), "an unexpected exception"
    if status != 0:
        raise UntrustedModelError(f"{path}: not read")


def load_or_refuse(path: Path) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        try:
            read_in_fork(path, Path(folder))
            return rebuild_contents(collect(path, Path(folder)), CustomObjects()).model
        except SlimlineError as error:
            assert "\n" not in str(error)
            return None


def same_weights(model: Any, original: Any) -> bool:
    pairs = zip(model.get_weights(), original.get_weights(), strict=True)
    return all(np.array_equal(ours, theirs) for ours, theirs in pairs)


@pytest.mark.parametrize("name", FORMATS)
@QUICK
@given(data=st.data())
def test_bytes_changed_or_cut_off(
    name: str, good_files: dict[str, Path], contents: dict[str, FileContents], data: Any
) -> None:
    content = bytearray(good_files[name].read_bytes())
    for _ in range(data.draw(st.integers(0, 3))):
        # Headers are denser than weights: half of the changes go to the ends of the file.
        near = data.draw(st.sampled_from([len(content), 2048]))
        place = data.draw(st.integers(0, near - 1)) * data.draw(st.sampled_from([1, -1]))
        content[place % len(content)] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        model = load_or_refuse(path)
    if model is not None and path.suffix == ".keras":
        # Everything that matters in a zip is under a checksum.
        original = rebuild_contents(contents[name], CustomObjects()).model
        assert same_weights(model, original)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 1, 2, 10**6, 10**12, 2**63, 2**70, 0.5, float("inf"), float("nan")]),
    st.sampled_from(["", "relu", "Dense", "__lambda__", "a/b", "x" * 20_000, "../x", "float16"]),
    st.sampled_from([[], {}, [None], [[]], [1, -1], {"class_name": "Lambda", "config": {}},
                     {"class_name": ["x"], "config": None}, {"class_name": "Dense", "config": {}},
                     {"class_name": "__numpy__", "config": {"value": [1], "dtype": ["x"]}},
                     {"class_name": "function", "config": {}}, {"a": {"b": []}}]),
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yields (container, key) of every part of a config."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@pytest.mark.parametrize("name", FORMATS)
@QUICK
@given(data=st.data())
def test_configs_with_parts_replaced(
    name: str, contents: dict[str, FileContents], data: Any
) -> None:
    config = copy.deepcopy(contents[name].config)
    for _ in range(data.draw(st.integers(1, 2))):
        found = list(places(config))
        if not found:
            break
        container, key = found[data.draw(st.integers(0, len(found) - 1))]
        if data.draw(st.booleans()) and isinstance(container, dict):
            del container[key]
        else:
            container[key] = copy.deepcopy(data.draw(ODD))
    config = json.loads(json.dumps(config))
    try:
        model = rebuild_contents(replace(contents[name], config=config), CustomObjects()).model
    except SlimlineError as error:
        assert "\n" not in str(error)
    else:
        assert model.built and model.count_params() < 10_000


def test_the_good_files_themselves(good_files: dict[str, Path]) -> None:
    for name in FORMATS:
        assert load_or_refuse(good_files[name]) is not None
