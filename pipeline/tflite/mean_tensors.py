"""Means over samples of the tensors inside a `.tflite` file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.tflite.excerpt import CALLING, Excerpts
from pipeline.tflite.flatbuffer import ModelFile, decode_model
from pipeline.tflite.inner_tensors import InnerTensors
from pipeline.tflite.interpreter import dequantize, describe_tensors, quantize


def mean_tensors(
    content: bytes, wanted: Iterable[int], batches: Iterable[Mapping[str, np.ndarray]]
) -> dict[int, np.ndarray]:
    """Runs a file, as far as it has to, and averages tensors over the samples.

    Args:
        content: a `.tflite` file, float or quantized.
        wanted: activations of the main subgraph, at least one.
        batches: real values by input name, each a whole batch; at least one.

    Returns:
        float64 (…) by tensor index: real values, without the batch axis.
    """
    model = decode_model(content)
    indices = list(dict.fromkeys(wanted))
    inputs = model.main.inputs
    descriptions = describe_tensors(model, inputs, model.input_names)
    part = _cut(content, model, [index for index in indices if index not in inputs])
    sums: dict[int, Any] = dict.fromkeys(indices, 0.0)
    count = 0
    for batch in batches:
        count += 1
        given = {
            index: dequantize(quantize(batch[one.name], one), one)
            for index, one in zip(inputs, descriptions, strict=True)
        }
        found = part.run(given)
        for index in indices:
            values = given[index] if index in given else found[index]
            sums[index] = sums[index] + values.mean(axis=0, dtype=np.float64)
    return {index: total / count for index, total in sums.items()}


@dataclass(frozen=True)
class _Part:
    """What has to run; by index in the whole file the places of what goes in and comes out."""

    runtime: InnerTensors | None
    inputs: Mapping[int, int]
    outputs: Mapping[int, int]

    def run(self, given: Mapping[int, np.ndarray]) -> dict[int, np.ndarray]:
        if self.runtime is None:
            return {}
        self.runtime.run({place: given[index] for index, place in self.inputs.items()})
        return {index: self.runtime.read(place) for index, place in self.outputs.items()}


def _cut(content: bytes, model: ModelFile, wanted: Sequence[int]) -> _Part:
    """Loads the operators that the wanted tensors depend on; all of them where one is a loop."""
    if not wanted:
        return _Part(None, {}, {})
    main, needed = model.main, set(wanted)
    operators = []
    for number in reversed(range(len(main.operators))):
        operator = main.operators[number]
        if needed.intersection(operator.outputs):
            operators.append(number)
            needed.update(operator.inputs)
    if any(operator.name in CALLING for operator in main.operators):
        whole = InnerTensors(content)
        return _Part(whole, {i: i for i in main.inputs}, {i: i for i in wanted})
    inputs = [index for index in main.inputs if index in needed]
    part = InnerTensors(Excerpts(content).cut(operators[::-1], inputs, wanted))
    ends = part.file.main
    return _Part(
        part,
        dict(zip(inputs, ends.inputs, strict=True)),
        dict(zip(wanted, ends.outputs, strict=True)),
    )
