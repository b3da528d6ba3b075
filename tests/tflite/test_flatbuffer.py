"""Reading files that are whole, torn and scrambled."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ArtifactError
from pipeline.tflite.flatbuffer import is_builtin, read_model
from pipeline.tflite.inspect import inspect
from tests.tflite.conftest import Converted


def test_tensors_names_and_constants(converted: Converted) -> None:
    model = read_model(converted.paths["float32"])
    assert list(model.input_names.values()) == ["image"]
    assert list(model.output_names.values()) == ["logits"]
    assert not model.is_stateful
    assert [operator.name for operator in model.main.operators] == [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
    ]
    kernel = model.main.tensors[model.main.operators[-1].inputs[1]]
    expected = np.array(converted.model.get_layer("logits").kernel).T
    np.testing.assert_array_equal(kernel.data, expected)
    assert len(kernel.scales) == 0


def test_quantization_parameters(converted: Converted) -> None:
    model = read_model(converted.paths["int8"])
    conv = model.main.tensors[model.main.operators[0].inputs[1]]
    assert conv.data is not None and conv.data.dtype == np.int8
    assert (len(conv.scales), conv.quantized_dimension) == (8, 0)
    depthwise = model.main.tensors[model.main.operators[1].inputs[1]]
    assert (len(depthwise.scales), depthwise.quantized_dimension) == (8, 3)
    real = np.array(converted.model.get_layer("conv").kernel).transpose(3, 0, 1, 2)
    restored = conv.data * conv.scales.reshape(8, 1, 1, 1)
    assert np.abs(restored - real).max() <= conv.scales.max() / 2 + 1e-6


@pytest.mark.parametrize("content", [b"", b"x" * 5000, b"\x1c\0\0\0TFL3" + b"\xff" * 100])
def test_what_is_no_model_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"broken\.tflite: (no TFLite file|the TFLite file is)"):
        read_model(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="No such file"):
        read_model(tmp_path / "nowhere.tflite")


def test_scrambled_files_are_read_or_refused_but_never_a_traceback(
    converted: Converted, tmp_path: Path
) -> None:
    whole = converted.paths["int8"].read_bytes()
    generator = np.random.default_rng(0)
    path, refused = tmp_path / "scrambled.tflite", 0
    for _ in range(100):
        data = bytearray(whole)
        for place in generator.integers(8, len(data), 30):
            data[place] = generator.integers(256)
        path.write_bytes(bytes(data))
        try:
            inspect(path)
        except ArtifactError:
            refused += 1
    assert refused > 10


def test_operators_of_tflite_and_others() -> None:
    assert is_builtin("CONV_2D") and is_builtin("UNIDIRECTIONAL_SEQUENCE_LSTM")
    assert not is_builtin("Erfinv") and not is_builtin("CUSTOM")
