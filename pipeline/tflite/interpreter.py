"""Runs a `.tflite` file in LiteRT, as shipped: fixed batch, quantized inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ArtifactError, DataError
from pipeline.stderr import captured_stderr
from pipeline.tflite.flatbuffer import ModelFile, read_model
from pipeline.tflite.reasons import last_meaningful_line

if TYPE_CHECKING:
    from pipeline.data.samples import Samples

# Samples may stay on disk: so many are in memory at once, quantized.
ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class TensorDescription:
    """An input or output as a user of the file meets it.

    Attributes:
        name: in the signature.
        shape: batch included.
        dtype: NumPy name.
        scale: real = scale · (stored − zero_point); None if it is not quantized.
        zero_point: see scale.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    zero_point: int | None

    def to_json(self) -> dict[str, Any]:
        """Returns the five fields under their names."""
        return {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "scale": self.scale,
            "zero_point": self.zero_point,
        }


class Interpreter:
    """A loaded file. Keeps its buffers between calls; not safe in two threads at once."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        """Loads a file; see `load`."""
        model = read_model(path)
        self._path = path
        self._runtime = _start_runtime(path, threads)
        self.inputs = describe_tensors(model, model.main.inputs, model.input_names)
        self.outputs = describe_tensors(model, model.main.outputs, model.output_names)
        self.batch = self.inputs[0].shape[0] if self.inputs[0].shape else 1
        self._input_indices = model.main.inputs
        self._output_indices = model.main.outputs
        self._stateful = model.is_stateful

    def predict(self, x: Samples | Mapping[str, np.ndarray]) -> np.ndarray:
        """Runs samples through the file; see `predict_all`.

        Returns:
            float32 (n, …): the first output, dequantized.
        """
        return next(iter(self.predict_all(x).values()))

    def predict_all(self, x: Samples | Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Runs samples through the file in its own batches.

        Each batch starts from a clean state: recurrent layers keep theirs between invokes. A last
        batch that is not full is filled with zeros, whose outputs are dropped.

        Args:
            x: (n, …) real values, or one such array per input name; quantized here, a few
                batches at a time.

        Returns:
            float32 (n, …) by output name, dequantized; in the order of the Keras model's outputs.

        Raises:
            DataError: a shape or a name does not fit the file.
            ArtifactError: an operator of the file fails.
        """
        named = self._name_inputs(x)
        samples = len(next(iter(named.values())))
        results = [np.empty((samples, *out.shape[1:]), out.dtype) for out in self.outputs]
        rows_at_once = self.batch * max(ROWS_AT_ONCE // self.batch, 1)
        for start in range(0, samples, rows_at_once):
            rows = slice(start, min(start + rows_at_once, samples))
            self._predict_rows(
                {name: values[rows] for name, values in named.items()},
                [stored[rows] for stored in results],
            )
        return {
            output.name: dequantize(stored, output)
            for output, stored in zip(self.outputs, results, strict=True)
        }

    def _predict_rows(self, named: Mapping[str, np.ndarray], results: list[np.ndarray]) -> None:
        """Fills each of `results` (rows, …) with the stored outputs of some rows."""
        stored, samples = self._store_inputs(named), len(results[0])
        for start in range(0, samples, self.batch):
            count = min(self.batch, samples - start)
            for index, values in zip(self._input_indices, stored, strict=True):
                rows = values[start : start + self.batch]
                self._runtime.set_tensor(index, rows if count == self.batch else self._fill(rows))
            self.invoke()
            for index, result in zip(self._output_indices, results, strict=True):
                result[start : start + count] = self._runtime.get_tensor(index)[:count]

    def invoke(self) -> None:
        """Runs one batch on what the inputs hold, from a clean state."""
        if self._stateful:
            self._runtime.reset_all_variables()
        try:
            self._runtime.invoke()
        except (ValueError, RuntimeError) as error:
            reason = last_meaningful_line(str(error))
            raise ArtifactError(f"{self._path}: LiteRT cannot run this file: {reason}") from error

    def set_inputs(self, x: np.ndarray | Mapping[str, np.ndarray]) -> None:
        """Puts one whole batch of real values into the inputs.

        Args:
            x: as for `predict`, with exactly `batch` samples.
        """
        stored = self._store_inputs(self._name_inputs(x))
        for index, values in zip(self._input_indices, stored, strict=True):
            self._runtime.set_tensor(index, values)

    def _name_inputs(self, x: Any) -> Mapping[str, Any]:
        named = x if isinstance(x, Mapping) else {self.inputs[0].name: x}
        if set(named) != {description.name for description in self.inputs}:
            expected = ", ".join(description.name for description in self.inputs)
            raise DataError(f"inputs {', '.join(named)}: expected {expected}")
        for description in self.inputs:
            if named[description.name].shape[1:] != description.shape[1:]:
                raise DataError(
                    f"input {description.name!r} of shape {named[description.name].shape}: "
                    f"expected (n, {', '.join(map(str, description.shape[1:]))})"
                )
        return named

    def _store_inputs(self, named: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return [quantize(named[description.name], description) for description in self.inputs]

    def _fill(self, rows: np.ndarray) -> np.ndarray:
        padding = [(0, self.batch - len(rows))] + [(0, 0)] * (rows.ndim - 1)
        return np.pad(rows, padding)


def load(path: Path, threads: int = 1) -> Interpreter:
    """Loads a `.tflite` file in LiteRT (CPU, XNNPACK), without a word on the screen.

    Args:
        path: the file.
        threads: of the runtime, at least 1.

    Raises:
        ArtifactError: the file is missing or torn, or the runtime lacks an operator.
    """
    return Interpreter(path, threads)


def quantize(values: np.ndarray, description: TensorDescription) -> np.ndarray:
    """Turns real values into stored ones: clip(round(x / scale) + zero_point), saturating.

    Rounded half to even (IEEE 754's default), as NumPy and XNNPACK do; the sidecar says so too.
    TFLite's reference kernel rounds half away from zero, which differs for exact ties only.

    Args:
        values: real, any shape.
        description: of the input; without a scale only the dtype is applied.
    """
    dtype = np.dtype(description.dtype)
    if description.scale is None or description.zero_point is None:
        return np.ascontiguousarray(values, dtype)
    limits = np.iinfo(dtype)
    codes = np.rint(np.asarray(values, np.float32) / np.float32(description.scale))
    codes += description.zero_point
    return np.ascontiguousarray(np.clip(codes, limits.min, limits.max, out=codes).astype(dtype))


def dequantize(stored: np.ndarray, description: TensorDescription) -> np.ndarray:
    """Turns stored values into real ones: scale · (q − zero_point), float32.

    Args:
        stored: any shape, in the description's dtype.
        description: of the output.
    """
    if description.scale is None or description.zero_point is None:
        return np.asarray(stored, np.float32)
    return (stored.astype(np.float32) - description.zero_point) * np.float32(description.scale)


def describe_tensors(
    model: ModelFile, indices: tuple[int, ...], names: Mapping[int, str]
) -> tuple[TensorDescription, ...]:
    """Describes inputs or outputs of a file, in the file's order."""
    described = []
    for index in indices:
        tensor = model.main.tensors[index]
        quantized = len(tensor.scales) > 0 and not tensor.dtype.startswith("float")
        described.append(
            TensorDescription(
                name=names[index],
                shape=tensor.shape,
                dtype=tensor.dtype,
                scale=float(tensor.scales[0]) if quantized else None,
                zero_point=int(tensor.zero_points[0]) if quantized else None,
            )
        )
    return tuple(described)


def _start_runtime(path: Path, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter as Runtime

    lines: list[str] = []
    try:
        with captured_stderr() as lines:
            runtime = Runtime(model_path=str(path), num_threads=threads)
            runtime.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = last_meaningful_line("\n".join([*lines, str(error)]))
        raise ArtifactError(f"{path}: LiteRT cannot run this file: {reason}") from error
    return runtime
