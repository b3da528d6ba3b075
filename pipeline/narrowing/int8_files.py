"""int8 files of a model and of narrower ones, to be timed against each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.bridge.conversion import save_for_conversion
from pipeline.data.representative import choose_representative
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.relative_latency import RelativeLatency, Runtime, compare_latency

if TYPE_CHECKING:
    import keras

    from pipeline.data.prepared import PreparedData
    from pipeline.tflite.worker import ConversionWorker

# Latency hangs on shapes, not on ranges: few samples will do.
SAMPLES = 32
WHOLE = "whole"


class Int8Files:
    """Converts models to int8 for one sample a call, and times them against the whole one."""

    def __init__(
        self,
        whole: keras.Model,
        data: PreparedData,
        runtime: Runtime,
        seed: int,
        folder: Path,
        converter: Callable[[], ConversionWorker],
    ) -> None:
        """Converts the whole model.

        Args:
            whole: what all others are compared with.
            data: ranges are measured on some of its training samples.
            runtime: that is timed.
            seed: chooses the samples.
            folder: for the files.
            converter: starts, or returns, the child process that converts.

        Raises:
            PromiseError: the converter refuses the model.
        """
        chosen = choose_representative(data.train, data.task, SAMPLES, seed)
        self._x, self._runtime = data.train.x[chosen], runtime
        self._folder, self._worker = folder, converter()
        self._whole = self._make(whole, WHOLE)

    def compare(self, model: keras.Model, name: str, turns: int) -> RelativeLatency:
        """Converts a narrower model and times it against the whole one.

        Raises:
            PromiseError: the converter or the runtime refuses it.
        """
        return compare_latency(self._make(model, name), self._whole, self._runtime, turns)

    def _make(self, model: keras.Model, name: str) -> Path:
        saved = self._folder / f"saved_model_{name}"
        save_for_conversion(model, saved)
        # Operators that stay in float take their time on a device too; quantize says if they may.
        request = ConversionRequest(name, "int8", float_operators="allow")
        return convert(saved, [request], self._x, self._folder, self._worker)[name]
