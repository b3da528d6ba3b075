"""A DEQUANTIZE and a QUANTIZE that undo each other are taken out, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.tflite import convert as conversion
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.flatbuffer import Operator, Subgraph, Tensor, decode_model
from pipeline.tflite.idle_pairs import drop_idle_pairs, find_idle_pairs
from pipeline.tflite.interpreter import load
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.worker import ConversionWorker
from tests.bridge.test_qat_joins import BODIES, quantize


@pytest.fixture(scope="module")
def left(worker: ConversionWorker, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(samples, file with a pair as the converter left it)."""
    folder = tmp_path_factory.mktemp("pairs")
    model, x, names = quantize(BODIES["Maximum"])
    save_keras_model(model, folder / "saved", 1, names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "drop_idle_pairs", lambda content: content)
        request = ConversionRequest("int8", "int8")
        return x, conversion.convert(folder / "saved", [request], x, folder, worker)["int8"]


def operators(content: bytes) -> list[str]:
    return [operator.name for operator in decode_model(content).main.operators]


def test_the_converter_still_leaves_a_pair_at_the_input(left: Any) -> None:
    """The day this fails, pipeline/tflite/idle_pairs.py may go."""
    assert operators(left[1].read_bytes())[:3] == ["DEQUANTIZE", "QUANTIZE", "CONV_2D"]


def test_without_the_pair_the_file_answers_the_same(left: Any, tmp_path: Path) -> None:
    from ai_edge_litert import schema_py_generated as schema

    x, path = left
    content = path.read_bytes()
    dropped = drop_idle_pairs(content)
    assert operators(dropped) == operators(content)[2:]
    codes = schema.Model.GetRootAs(dropped, 0).OperatorCodesLength()
    assert codes == len(set(operators(dropped)))
    (tmp_path / "int8.tflite").write_bytes(dropped)
    np.testing.assert_array_equal(load(tmp_path / "int8.tflite").predict(x), load(path).predict(x))
    assert drop_idle_pairs(dropped) is dropped


def tensor(index: int, dtype: str, scale: float, zero: int = 0) -> Tensor:
    scales, zeros = np.array([scale], np.float32), np.array([zero], np.int64)
    return Tensor(index, str(index), (1, 4), dtype, None, scales, zeros, 0, 0, is_variable=False)


@pytest.mark.parametrize(
    ("made", "outputs", "idle"),
    [
        (("int8", 0.5, 3), (), True),
        (("int8", 0.5 * (1 + 1e-7), 3), (), True),
        (("int8", 0.51, 3), (), False),
        (("int8", 0.5, 4), (), False),
        (("int16", 0.5, 3), (), False),
        (("int8", 0.5, 3), (2,), False),
    ],
)
def test_a_pair_that_changes_something_or_makes_an_output_stays(
    made: Any, outputs: tuple[int, ...], idle: bool
) -> None:
    tensors = (tensor(0, "int8", 0.5, 3), tensor(1, "float32", 0), tensor(2, *made))
    pair = (Operator("DEQUANTIZE", (0,), (1,)), Operator("QUANTIZE", (1,), (2,)))
    assert find_idle_pairs(Subgraph(tensors, pair, (0,), outputs)) == ({2: 0} if idle else {})
