"""Means of inner tensors, against what the whole file holds."""

from __future__ import annotations

import numpy as np

from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.inner_tensors import InnerTensors
from pipeline.tflite.mean_tensors import mean_tensors
from tests.tflite.conftest import Converted


def test_means_are_those_of_the_whole_file(converted: Converted) -> None:
    for name in ("float32", "int8"):
        content = converted.paths[name].read_bytes()
        model = decode_model(content)
        wanted = [operator.outputs[0] for operator in model.main.operators]
        wanted = [model.main.inputs[0], wanted[0], wanted[-1], wanted[0]]
        samples = converted.x[:6]
        means = mean_tensors(content, wanted, [{"image": sample[None]} for sample in samples])
        assert list(means) == list(dict.fromkeys(wanted))
        inner = InnerTensors(content)
        held: dict[int, list[np.ndarray]] = {index: [] for index in means}
        for sample in samples:
            inner.run({inner.inputs[0]: sample[None]})
            for index, values in held.items():
                values.append(inner.read(index)[0])
        for index, mean in means.items():
            np.testing.assert_allclose(mean, np.mean(held[index], axis=0), rtol=1e-5, atol=1e-6)
    # Only the input is wanted: nothing has to run.
    only = mean_tensors(content, [model.main.inputs[0]], [{"image": converted.x[:1]}])
    step = model.main.tensors[model.main.inputs[0]].scales[0]
    assert np.abs(only[model.main.inputs[0]] - converted.x[0]).max() <= step
