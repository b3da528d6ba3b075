"""Every tensor of a run can be read."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import ArtifactError
from pipeline.tflite.inner_tensors import InnerTensors
from pipeline.tflite.interpreter import load
from tests.tflite.conftest import Converted


@pytest.mark.parametrize("name", ["float32", "int8", "int8_float32"])
def test_the_output_is_that_of_the_shipped_runtime(converted: Converted, name: str) -> None:
    inner = InnerTensors(converted.paths[name].read_bytes())
    inner.run({inner.inputs[0]: converted.x[:1]})
    output = inner.file.main.outputs[0]
    expected = load(converted.paths[name]).predict(converted.x[:1])
    step = float(inner.file.main.tensors[output].scales[0]) if name == "int8" else 0.05
    np.testing.assert_allclose(inner.read(output), expected, atol=1.01 * step)


def test_inner_tensors_keep_their_values(converted: Converted) -> None:
    inner = InnerTensors(converted.paths["float32"].read_bytes())
    inner.run({inner.inputs[0]: converted.x[:1]})
    conv = inner.read(inner.file.main.operators[0].outputs[0])
    assert conv.min() == 0.0 and conv.max() > 0.0  # behind a relu
    before = conv.copy()
    inner.run({inner.inputs[0]: converted.x[1:2]})
    assert not np.array_equal(before, inner.read(inner.file.main.operators[0].outputs[0]))


def test_what_the_runtime_refuses_is_told(converted: Converted) -> None:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = converted.paths["int8"].read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = "Unheard"
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    with pytest.raises(ArtifactError, match=r"LiteRT cannot run this file: .*Unheard"):
        InnerTensors(bytes(builder.Output()))
