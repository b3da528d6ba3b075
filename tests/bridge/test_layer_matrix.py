"""Each kind of layer, from a `.keras` file to `.tflite` files that ran and agree with Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.conversion import save_for_conversion
from pipeline.compression.statistics import Differences, compare
from pipeline.errors import PromiseError
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.load import rebuild_contents
from pipeline.foreign.read_child import read_file
from pipeline.foreign.reading import collect
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.float_operators import find_float_operators
from pipeline.tflite.interpreter import load
from pipeline.tflite.verify import check_dtypes
from pipeline.tflite.worker import ConversionWorker
from tests.bridge.layer_matrix import ROWS, Row

FLOAT = ConversionRequest("float32", "float32")
# Refused where nothing has to stay in float, so that full-integer stays full-integer.
STRICT = ConversionRequest("int8", "int8")
ALLOWED = ConversionRequest("int8", "int8", float_operators="allow")
SAMPLES = 64


def draw_weights(model: Any) -> None:
    """Signal through every layer; BatchNorm statistics that are not fresh."""
    rng = np.random.default_rng(3)
    for weight in model.weights:
        shape = tuple(weight.shape)
        if "variance" in weight.path or "gamma" in weight.path:
            weight.assign(rng.uniform(0.5, 1.5, shape))
        elif weight.dtype == "float32":
            fan_in = max(np.prod(shape[:-1]), 1) if len(shape) > 1 else 100
            weight.assign(rng.normal(size=shape) / np.sqrt(fan_in))


def draw_samples(model: Any) -> np.ndarray:
    rng = np.random.default_rng(4)
    shape = (SAMPLES, *model.inputs[0].shape[1:])
    if model.inputs[0].dtype != "int32":
        return rng.normal(size=shape).astype(np.float32)
    ids = rng.integers(1, 9, shape).astype(np.int32)
    lengths = rng.integers(2, shape[1] + 1, (SAMPLES, 1))
    return np.where(np.arange(shape[1]) < lengths, ids, 0).astype(np.int32)


def write_and_read(model: Any, folder: Path) -> Any:
    """Keras's own file, read as a file from outside; without the child, which takes a second."""
    path, parts = folder / "model.keras", folder / "parts"
    model.save(path)
    parts.mkdir()
    read_file(path, parts)
    return rebuild_contents(collect(path, parts), CustomObjects()).model


def measure(row: Row, worker: ConversionWorker, folder: Path) -> tuple[Differences, Differences]:
    """Makes both files of a row and checks what stays in float; returns how far each is off."""
    built = row.build()
    draw_weights(built)
    model, x = write_and_read(built, folder), draw_samples(built)
    reference = built.predict(x, verbose=0)
    save_for_conversion(model, folder / "saved")
    request = ALLOWED if row.floats else STRICT
    paths = convert(folder / "saved", [FLOAT, request], x, folder, worker)
    check_dtypes(paths["int8"], request)
    assert tuple(map(str, find_float_operators(paths["int8"]))) == row.floats
    float_outputs, outputs = (load(path).predict(x) for path in paths.values())
    return compare(reference, float_outputs), compare(reference, outputs)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.refused])
def test_files_ran_and_agree(name: str, converter: ConversionWorker, tmp_path: Path) -> None:
    in_float, in_integers = measure(ROWS[name], converter, tmp_path)
    assert in_float.max_difference < 1e-3
    assert in_integers.mean_difference < ROWS[name].int8


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.refused])
def test_what_no_file_can_hold_is_named(
    name: str, converter: ConversionWorker, tmp_path: Path
) -> None:
    with pytest.raises(PromiseError, match=ROWS[name].refused):
        measure(ROWS[name], converter, tmp_path)


def test_the_bounds_tell_another_model_from_this_one() -> None:
    """The control: outputs of a model with two units swapped are far outside of every bound."""
    model = ROWS["Conv1D"].build()
    draw_weights(model)
    x = draw_samples(model)
    reference = model.predict(x, verbose=0)
    kernel = model.layers[1].kernel.numpy()
    model.layers[1].kernel.assign(kernel[..., [1, 0, 2, 3, 4]])
    assert compare(reference, model.predict(x, verbose=0)).mean_difference > max(
        row.int8 for row in ROWS.values()
    )
