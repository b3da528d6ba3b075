"""The program that ships: run as a user runs it, in a bundle of its own."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.csv import CsvConfig
from pipeline.config.text import TextConfig
from pipeline.data.csv_file import read_tables
from pipeline.data.table import TableEncoding
from pipeline.data.text import TextEncoding
from pipeline.data.text_files import read_texts
from pipeline.errors import ConfigError
from pipeline.tasks.task import classification
from pipeline.tflite.interpreter import load
from pipeline.tflite.runner_script import write_runner
from pipeline.tflite.sidecar import describe_file
from tests.tflite.conftest import CLASS_NAMES, Converted

# Runs the program and tells which modules it loaded.
_TRACED = (
    "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__');"
    "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
)


@pytest.fixture
def bundle(converted: Converted, tmp_path: Path) -> Path:
    """int8 and float32 with sidecars that scale raw input by 1/16, and the program."""
    for name in ("int8", "float32"):
        path = Path(shutil.copy(converted.paths[name], tmp_path))
        preprocessing = {"scale": 1 / 16, "offset": 0.0, "placement": "sidecar"}
        sidecar = describe_file(path, classification(CLASS_NAMES), preprocessing)
        path.with_suffix(".json").write_text(json.dumps(sidecar))
    write_runner(tmp_path, "int8.tflite")
    return tmp_path


def _run(bundle: Path, x: np.ndarray, *options: str) -> subprocess.CompletedProcess[str]:
    np.save(bundle / "input.npy", x)
    command = [sys.executable, "-P", "-c", _TRACED, str(bundle / "run_model.py")]
    # Another folder: nothing of this repository may be at hand.
    return subprocess.run(
        [*command, str(bundle / "input.npy"), *options], capture_output=True, text=True, cwd="/"
    )


def _expected(path: Path, x: np.ndarray) -> list[tuple[str, float]]:
    logits = load(path).predict(x).astype(np.float64)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return [(CLASS_NAMES[row.argmax()], row.max()) for row in scores]


@pytest.mark.parametrize("options", [(), ("--model", "float32.tflite")])
def test_labels_and_scores_from_raw_input(
    bundle: Path, converted: Converted, options: tuple[str, ...]
) -> None:
    if options:
        options = ("--model", str(bundle / options[1]))
    done = _run(bundle, converted.x[:7] * 16, *options)
    assert done.returncode == 0, done.stderr
    model = Path(options[1]) if options else bundle / "int8.tflite"
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    for number, (row, (label, score)) in enumerate(
        zip(rows, _expected(model, converted.x[:7]), strict=True)
    ):
        assert row[:2] == [str(number), label]
        assert float(row[2]) == pytest.approx(score, abs=1e-4)
    modules = done.stderr.split()
    assert "ai_edge_litert" in modules and "numpy" in modules
    assert not {"tensorflow", "keras", "pipeline"} & set(modules)


def test_one_sample_without_a_batch(bundle: Path, converted: Converted) -> None:
    done = _run(bundle, converted.x[0] * 16)
    assert len(done.stdout.splitlines()) == 1


def test_integer_input_is_taken_as_it_comes(bundle: Path) -> None:
    raw = np.random.default_rng(0).integers(0, 17, (2, 8, 8, 2))
    done = _run(bundle, raw)
    labels = [line.split("\t")[1] for line in done.stdout.splitlines()]
    expected = _expected(bundle / "int8.tflite", (raw / 16).astype(np.float32))
    assert labels == [label for label, _ in expected]


def test_refusals_of_the_program(bundle: Path) -> None:
    done = _run(bundle, np.zeros((2, 3), np.float32))
    assert done.returncode == 1
    assert "shape (2, 3), expected (n, 8, 8, 2)" in done.stderr
    with (bundle / "int8.tflite").open("ab") as file:
        file.write(b"x")
    done = _run(bundle, np.zeros((1, 8, 8, 2), np.float32))
    assert "not the file that its .json describes" in done.stderr


@pytest.mark.parametrize("name", ["model", "a/b.tflite", 'x".tflite'])
def test_names_that_are_no_file_of_the_bundle(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a name like"):
        write_runner(tmp_path, name)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The shipped program, imported from its folder."""
    path = write_runner(tmp_path_factory.mktemp("program"), "int8.tflite")
    assert "import pipeline" not in path.read_text() and "from pipeline" not in path.read_text()
    spec = importlib.util.spec_from_file_location("shipped_run_model", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_encodes_a_table_as_the_training_data_was(program: Any, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("age,job,pay\n39,clerk,1\n?,boss,0\n28,,1\n40,clerk,0\n", encoding="utf-8")
    config = CsvConfig(target="pay", min_category_count=1)
    table = read_tables([path], config, "binary").x
    encoding = TableEncoding.fit(table, np.arange(3), config)
    expected = encoding.apply(table)
    shape = [1, *encoding.input_shape]
    sidecar = {"encoding": json.loads(json.dumps(encoding.to_json())), "inputs": [{"shape": shape}]}
    np.testing.assert_array_equal(program.read_samples(path, sidecar), expected)


def test_it_encodes_texts_as_the_training_data_were(program: Any, tmp_path: Path) -> None:
    path = tmp_path / "said.txt"
    path.write_text('So "good", really\t1\nVery bad\t0\nÄrger\t0\n', encoding="utf-8")
    config = TextConfig(quotes=False)
    texts = read_texts([path], config, "binary").x
    encoding = TextEncoding.fit(texts, np.arange(2), config)
    shape = [1, *encoding.input_shape]
    sidecar = {"encoding": json.loads(json.dumps(encoding.to_json())), "inputs": [{"shape": shape}]}
    np.testing.assert_array_equal(program.read_samples(path, sidecar), encoding.apply(texts))


def test_a_file_or_texts_but_not_both_or_none(bundle: Path) -> None:
    command = [sys.executable, str(bundle / "run_model.py")]
    none = subprocess.run(command, capture_output=True, text=True)
    assert none.returncode == 2 and "expected a file of samples, or --text" in none.stderr
    text = subprocess.run([*command, "--text", "Good"], capture_output=True, text=True)
    assert text.returncode == 1 and "int8.tflite: does not read texts" in text.stderr
