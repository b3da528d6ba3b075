"""What a quantization works on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.quantize import QuantizeConfig
from pipeline.progress import Progress

if TYPE_CHECKING:
    import keras
    import numpy as np

    from pipeline.data.prepared import PreparedData
    from pipeline.tflite.verify_clusters import ClusteredKernel
    from pipeline.tflite.verify_patterns import PatternedKernel
    from pipeline.tflite.worker import ConversionWorker


@dataclass(frozen=True)
class Material:
    """A model, the data it is judged on, and where to work.

    Attributes:
        model: plain Keras 3; not changed.
        data: with the splits train and validation, both with answers.
        settings: the section `quantize`.
        representative: int64 (n,): rows of the training split that set the ranges.
        batch_size: samples per call of the files, ≥ 1.
        reference: validation figure (`data.task.metric`) of the float model of the chain's start.
        clustered: kernels whose values are shared, which must stay so.
        patterned: kernels with zeros in blocks or m of n, which must stay so.
        teacher: of quantization-aware training, where it distills.
        seed: of everything that is drawn.
        work: folder for checkpoints and what does not ship.
        output: folder for the files.
        failed: folder for a file that is worth keeping although it breaks its promise.
        progress: where bars and notes go.
        converter: starts, or returns, the one child process that converts.
    """

    model: keras.Model
    data: PreparedData
    settings: QuantizeConfig
    representative: np.ndarray
    batch_size: int
    reference: float
    clustered: Sequence[ClusteredKernel]
    patterned: Sequence[PatternedKernel]
    teacher: keras.Model | None
    seed: int
    work: Path
    output: Path
    failed: Path
    progress: Progress
    converter: Callable[[], ConversionWorker]
