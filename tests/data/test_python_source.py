from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.data import DataConfig
from pipeline.data.fingerprint import describe_source
from pipeline.data.prepare import load_data, prepare_data, save_preparation
from pipeline.data.python_source import describe_function, read_function
from pipeline.errors import DataError

LOAD = """
import numpy as np
def load():
    return {"x": np.arange(120.0).reshape(30, 4), "y": ["a", "b", "c"] * 10}
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Writes a module into the current folder; returns "python:NAME"."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    name = f"own_data_{abs(hash(tmp_path))}"

    def write(text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)
        return f"python:{name}"

    yield write
    sys.modules.pop(name, None)


def test_function_of_the_current_folder_is_data(
    module: Callable[[str], str], tmp_path: Path
) -> None:
    config = DataConfig(source=f"{module(LOAD)}:load", preprocessing={"kind": "none"})
    save_preparation(prepare_data(config, 0), tmp_path / "out")
    data = load_data(config, tmp_path / "out", ("train", "test"))
    assert data.task.class_names == ("a", "b", "c")
    assert data.train.x.shape == (20, 4) and data.train.x.dtype == np.float32


def test_function_that_gives_other_arrays_each_time_is_refused(
    module: Callable[[str], str], tmp_path: Path
) -> None:
    text = LOAD.replace("np.arange(120.0)", "np.random.default_rng().random(120)")
    config = DataConfig(source=f"{module(text)}:load")
    save_preparation(prepare_data(config, 0), tmp_path / "out")
    with pytest.raises(DataError, match=r"the all arrays changed .*must return the same arrays"):
        load_data(config, tmp_path / "out", ("train",))


def test_version_of_function_or_module_is_the_fingerprint(module: Callable[[str], str]) -> None:
    source = f"{module(LOAD + 'version = 3')}:load"
    assert describe_function(source) == {"version": "3"}
    config = DataConfig(source=source)
    assert describe_source(config, Path("cache.json")) == {"source": source, "version": "3"}
    own = module(LOAD + "version = 3\nload.version = '2024-05'")
    assert describe_function(f"{own}:load") == {"version": "2024-05"}


def test_without_a_version_no_two_descriptions_are_equal(module: Callable[[str], str]) -> None:
    source = f"{module(LOAD)}:load"
    assert describe_function(source) != describe_function(source)


def test_version_of_another_type_is_refused(module: Callable[[str], str]) -> None:
    with pytest.raises(DataError, match="version is list, expected text or a number"):
        describe_function(f"{module(LOAD + 'version = [1]')}:load")


def test_what_the_code_raises_is_told_with_its_line(module: Callable[[str], str]) -> None:
    source = module("def load():\n    rows = 0\n    return 1 / rows\n")
    with pytest.raises(DataError, match=r"ZeroDivisionError: division by zero at .*\.py:3") as e:
        read_function(f"{source}:load")
    assert "\n" not in str(e.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import not_there_at_all", r"ModuleNotFoundError: No module named .* at .*\.py:1"),
        ("def load(:", r"SyntaxError: invalid syntax"),
        ("load = 3", "has no callable load"),
        ("x = 1", "has no load"),
    ],
)
def test_module_that_cannot_be_used_is_named(
    module: Callable[[str], str], text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as error:
        describe_function(f"{module(text)}:load")
    assert "\n" not in str(error.value)


def test_module_that_is_not_there_is_named(module: Callable[[str], str]) -> None:
    with pytest.raises(DataError, match="No module named 'nowhere_to_be_found'"):
        describe_function("python:nowhere_to_be_found:load")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("3", "returned int; expected a dictionary of arrays"),
        ("{'x': [[1]], 'y': [1], 'z': 2}", "unknown: z"),
        ("{'x': [[1], [2, 3]], 'y': [1, 2]}", "x is no array of one shape"),
        ("{'y': [1]}", "x is missing"),
    ],
)
def test_what_is_no_data_is_refused(module: Callable[[str], str], value: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_function(f"{module(f'def load(): return {value}')}:load")


def test_none_stands_for_nothing_and_parts_are_kept(module: Callable[[str], str]) -> None:
    text = "def load(): return {'x_train': [[1.0]], 'y_train': None, 'x_test': [[2.0]]}"
    source = read_function(f"{module(text)}:load", frozenset({"test"}))
    assert list(source.parts) == ["test"] and source.parts["test"].y is None


def test_what_the_function_prints_goes_to_stderr(
    module: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    text = LOAD.replace("def load():", "def load():\n    print('reading')")
    read_function(f"{module(text)}:load")
    assert capsys.readouterr() == ("", "reading\n")
