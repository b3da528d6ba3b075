"""Converts a SavedModel into TFLite files, in a child process."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts.files import write_bytes_atomic
from pipeline.config.ranges import CALIBRATED_SCHEMES
from pipeline.errors import ArtifactError
from pipeline.tflite.bias_correction import correct_biases
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert_worker import load_samples, representative_batches
from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.idle_pairs import drop_idle_pairs
from pipeline.tflite.lstm_scales import mend_lstm_scales
from pipeline.tflite.output_order import restore_output_order
from pipeline.tflite.power_of_two_scales import round_scales
from pipeline.tflite.worker import ConversionWorker

SAMPLES_FILE = "representative.npz"
_FLOAT_FILE = "calibrated.tflite"
_MADE_FILE = "converted.tflite"


def convert(
    saved_model: Path,
    requests: Sequence[ConversionRequest],
    representative: np.ndarray | Mapping[str, np.ndarray] | None,
    output: Path,
    worker: ConversionWorker | None = None,
    in_float: Path | None = None,
) -> dict[str, Path]:
    """Makes one `.tflite` per request.

    Args:
        saved_model: folder with the signature `serving_default`: fixed batch, named inputs.
        requests: the files to make; names are unique.
        representative: float32 (n, *input shape), or one such array per input name; what the
            calibrated schemes measure their ranges on, and gptq the inputs of dense layers. They
            refuse to go without.
        output: folder for `<name>.tflite`; made if missing.
        worker: a started worker, to save its seconds of start-up; by default one is made and
            closed again.
        in_float: of int8x4, int4 and int2: a float file of this SavedModel, to save the seconds
            of its conversion; for int8x4 it holds the ranges (see `calibrate`).

    Returns:
        Path of each file by request name, in the order of the requests.

    Raises:
        ArtifactError: there is no SavedModel, or representative data is missing.
        PromiseError: the converter refused, crashed, took too long or too much memory.
    """
    if not (saved_model / "saved_model.pb").is_file():
        raise ArtifactError(f"{saved_model}: no SavedModel here (expected saved_model.pb)")
    calibrated = [request.name for request in requests if request.needs_samples]
    if calibrated and representative is None:
        raise ArtifactError(
            f"{calibrated[0]}: no representative data, expected some: without it the converter "
            "leaves outputs in float32 and says nothing, and gptq has nothing to measure"
        )
    output.mkdir(parents=True, exist_ok=True)
    running = worker if worker is not None else ConversionWorker()
    try:
        with tempfile.TemporaryDirectory(prefix="slimline-") as scratch:
            if representative is not None and calibrated:
                _write_samples(Path(scratch) / SAMPLES_FILE, representative)
            return {
                request.name: _convert_one(
                    running, saved_model, request, Path(scratch), output, in_float
                )
                for request in requests
            }
    finally:
        if worker is None:
            running.close()


def calibrate(
    saved_model: Path,
    request: ConversionRequest,
    representative: np.ndarray | Mapping[str, np.ndarray],
    path: Path,
    worker: ConversionWorker,
) -> None:
    """Writes the float file that an integer file is made of, with the ranges of its activations.

    Args:
        saved_model: as for `convert`.
        request: of an integer file; tells how ranges are found.
        representative: what they are measured on.
        path: of the float file.
        worker: a started worker.

    Raises:
        PromiseError: the converter makes no integer file of the model.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="slimline-") as scratch:
        _write_samples(Path(scratch) / SAMPLES_FILE, representative)
        plain = replace(request, scheme="int8", layers=None)
        order = _describe_order(saved_model, plain, Path(scratch), None)
        label = f"model {request.name!r} (its ranges)"
        worker.run({**order, "calibrated": str(path.resolve())}, label=label)


def _describe_order(
    saved_model: Path, request: ConversionRequest, scratch: Path, in_float: Path | None
) -> dict[str, Any]:
    """Returns what the child reads; see `convert_worker.convert`."""
    return {
        "saved_model": str(saved_model.resolve()),
        "in_float": None if in_float is None else str(in_float.resolve()),
        "scheme": request.scheme,
        "io_dtype": request.io_dtype,
        "dense_scales": request.dense_scales,
        "float_operators": request.float_operators,
        "weight_algorithm": request.weight_algorithm,
        "block_size": request.block_size,
        "ranges": request.ranges,
        "percentile": request.percentile,
        "calibrated": str(scratch / _FLOAT_FILE) if request.bias_correction else None,
        "custom_operators": request.custom_operators,
        "layers": None if request.layers is None else request.layers.to_json(),
        "representative": str(scratch / SAMPLES_FILE),
        "output": str(scratch / _MADE_FILE),
    }


def _convert_one(
    worker: ConversionWorker,
    saved_model: Path,
    request: ConversionRequest,
    scratch: Path,
    output: Path,
    in_float: Path | None,
) -> Path:
    order = _describe_order(saved_model, request, scratch, in_float)
    worker.run(order, label=f"model {request.name!r} (scheme {request.scheme})")
    # The child may die half-way through a write; what it finished is put in place here.
    path = output / f"{request.name}.tflite"
    content = restore_output_order((scratch / _MADE_FILE).read_bytes(), saved_model)
    if request.scheme in CALIBRATED_SCHEMES:
        content = drop_idle_pairs(mend_lstm_scales(content))
    if request.weight_scales == "power_of_two":
        content = round_scales(content)
    # Last: what other scales are off by is corrected as well.
    if request.bias_correction:
        float_file = scratch / _FLOAT_FILE if in_float is None else in_float
        content = _correct_biases(content, float_file.read_bytes(), scratch)
        (scratch / _FLOAT_FILE).unlink(missing_ok=True)  # the next request has its own
    write_bytes_atomic(path, content)
    return path


def _correct_biases(content: bytes, in_float: bytes, scratch: Path) -> bytes:
    model = decode_model(content)
    inputs = [model.main.tensors[index] for index in model.main.inputs]
    shapes = {model.input_names[tensor.index]: tensor.shape for tensor in inputs}
    batches = list(representative_batches(load_samples(scratch / SAMPLES_FILE), shapes))
    return correct_biases(content, in_float, batches)


def _write_samples(path: Path, representative: np.ndarray | Mapping[str, np.ndarray]) -> None:
    """One array per input name; the name "" stands for the only input of a model."""
    named = representative if isinstance(representative, Mapping) else {"": representative}
    # np.savez takes names as keyword arguments, where "" and "file" are not safe.
    arrays = {
        # Token ids are not quantized: they stay the integers that the model takes.
        f"input:{name}": np.ascontiguousarray(x, np.int32 if x.dtype.kind in "iu" else np.float32)
        for name, x in named.items()
    }
    np.savez(path, **arrays)  # type: ignore[arg-type]
