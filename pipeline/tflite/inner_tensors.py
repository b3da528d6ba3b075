"""Runs a `.tflite` file and keeps every tensor of it, to look inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.errors import ArtifactError
from pipeline.stderr import captured_stderr
from pipeline.tflite.flatbuffer import Tensor, decode_model
from pipeline.tflite.interpreter import TensorDescription, dequantize, quantize
from pipeline.tflite.reasons import last_meaningful_line


class InnerTensors:
    """A loaded file whose inner tensors can be read; about twice as slow as `Interpreter`.

    Without XNNPACK, which keeps no inner tensors: LiteRT's own kernels, which agree with it to
    the last step of a code.

    Args:
        content: of the `.tflite` file.

    Raises:
        ArtifactError: the runtime lacks an operator.
    """

    def __init__(self, content: bytes) -> None:
        self.file = decode_model(content)
        self._content = content  # the runtime reads from it
        self._tensors = {tensor.index: _describe(tensor) for tensor in self.file.main.tensors}
        self._runtime = _start(content)

    def run(self, inputs: Mapping[int, np.ndarray]) -> None:
        """Runs one batch from a clean state.

        Args:
            inputs: real values by index of the input tensor; whole batches.

        Raises:
            ArtifactError: an operator fails.
        """
        for index, values in inputs.items():
            self._runtime.set_tensor(index, quantize(values, self._tensors[index]))
        if self.file.is_stateful:
            self._runtime.reset_all_variables()
        try:
            self._runtime.invoke()
        except (ValueError, RuntimeError) as error:
            raise ArtifactError(
                f"LiteRT cannot run this file: {last_meaningful_line(str(error))}"
            ) from error

    def read(self, index: int) -> np.ndarray:
        """Returns a tensor of the last run, float32, dequantized."""
        return dequantize(self._runtime.get_tensor(index), self._tensors[index])

    @property
    def inputs(self) -> Sequence[int]:
        """Indices of the file's inputs."""
        return self.file.main.inputs


def _describe(tensor: Tensor) -> TensorDescription:
    quantized = len(tensor.scales) == 1 and not tensor.dtype.startswith("float")
    return TensorDescription(
        tensor.name,
        tensor.shape,
        tensor.dtype,
        float(tensor.scales[0]) if quantized else None,
        int(tensor.zero_points[0]) if quantized else None,
    )


def _start(content: bytes) -> Any:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    lines: list[str] = []
    try:
        with captured_stderr() as lines:
            runtime = Interpreter(
                model_content=content,
                num_threads=1,
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            runtime.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        reason = last_meaningful_line("\n".join([*lines, str(error)]))
        raise ArtifactError(f"LiteRT cannot run this file: {reason}") from error
    return runtime
