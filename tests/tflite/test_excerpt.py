"""Excerpts compute what their operators compute in the whole file."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.tflite.excerpt import Excerpts
from pipeline.tflite.inner_tensors import InnerTensors
from tests.tflite.conftest import Converted


@pytest.mark.parametrize("name", ["float32", "int8", "int16x8"])
def test_each_operator_alone_gives_what_it_gives_in_the_file(
    converted: Converted, name: str
) -> None:
    content = converted.paths[name].read_bytes()
    whole, excerpts = InnerTensors(content), Excerpts(content)
    graph = whole.file.main
    whole.run({whole.inputs[0]: converted.x[:1]})
    for number, operator in enumerate(graph.operators):
        read = [i for i in operator.inputs if i >= 0 and graph.tensors[i].data is None]
        alone = InnerTensors(excerpts.cut([number], read, operator.outputs))
        assert [op.name for op in alone.file.main.operators] == [operator.name]
        alone.run({own: whole.read(i) for own, i in zip(alone.inputs, read, strict=True)})
        found = alone.read(alone.file.main.outputs[0])
        np.testing.assert_array_equal(found, whole.read(operator.outputs[0]))


def test_operators_are_cut_together_and_the_file_stays_as_it_was(converted: Converted) -> None:
    content = converted.paths["int8"].read_bytes()
    excerpts = Excerpts(content)
    graph = InnerTensors(content).file.main
    last = len(graph.operators) - 1
    first = InnerTensors(excerpts.cut(range(last + 1), graph.inputs, graph.outputs))
    again = InnerTensors(excerpts.cut(range(last + 1), graph.inputs, graph.outputs))
    for model in (first, again):
        model.run({model.inputs[0]: converted.x[:1]})
    outputs = [model.read(model.file.main.outputs[0]) for model in (first, again)]
    np.testing.assert_array_equal(*outputs)
    assert len(first.file.main.operators) == len(graph.operators)
