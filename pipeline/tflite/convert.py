"""Converts a SavedModel into TFLite files, in a child process."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.artifacts.files import write_bytes_atomic
from pipeline.config.layer_schemes import LAYER_SCHEMES
from pipeline.errors import ArtifactError, ConfigError
from pipeline.tflite.bias_correction import correct_biases
from pipeline.tflite.calibration import DEFAULT_PERCENTILE, RANGE_KINDS, RangeKind
from pipeline.tflite.convert_worker import load_samples, representative_batches
from pipeline.tflite.flatbuffer import decode_model
from pipeline.tflite.layer_schemes import LayerSchemes
from pipeline.tflite.low_bits import (
    BLOCK_SIZES,
    LOW_BIT_SCHEMES,
    WEIGHT_ALGORITHMS,
    WeightAlgorithm,
)
from pipeline.tflite.lstm_scales import mend_lstm_scales
from pipeline.tflite.output_order import restore_output_order
from pipeline.tflite.power_of_two_scales import round_scales
from pipeline.tflite.worker import ConversionWorker

Scheme = Literal["float32", "float16", "dynamic_range", "int8", "int16x8", "int8x4", "int4", "int2"]
InferenceIO = Literal["int8", "uint8", "float32"]
DenseScales = Literal["per_channel", "per_tensor"]
FloatOperators = Literal["refuse", "allow"]
WeightScales = Literal["exact", "power_of_two"]

# Schemes whose activations are integers: their ranges are measured on representative data.
CALIBRATED_SCHEMES = ("int8", "int16x8", "int8x4")
SCHEMES = ("float32", "float16", "dynamic_range", *CALIBRATED_SCHEMES, *LOW_BIT_SCHEMES)
SAMPLES_FILE = "representative.npz"
_FLOAT_FILE = "calibrated.tflite"
_MADE_FILE = "converted.tflite"
INFERENCE_IO = ("int8", "uint8", "float32")
FLOAT_OPERATORS = ("refuse", "allow")
WEIGHT_SCALES = ("exact", "power_of_two")


@dataclass(frozen=True)
class ConversionRequest:
    """One file to make.

    Attributes:
        name: file name without `.tflite`.
        scheme: float32; float16 weights; dynamic_range (int8 weights, float activations); int8
            (integers throughout); int16x8 (int16 activations, int8 weights); int8x4 (int8
            activations, int4 weights, see `static_weights.INT4_KERNELS`); int4, int2 (weights of
            so few bits, see `low_bits.KERNEL_DTYPES`, float activations).
        inference_io: type of inputs and outputs of the calibrated schemes. int16x8 knows int16
            and float32 only, so int8 and uint8 mean int16 there. The other schemes are float32.
        dense_scales: one scale per output of a dense layer, or one for its whole kernel: coarser,
            but fewer bytes after compression. Convolutions always have one per channel.
        float_operators: what the calibrated schemes do with an operator that has no integer
            kernel: refuse the file, or allow the operator to compute in float32 between
            DEQUANTIZE and QUANTIZE. `float_operators.find_float_operators` names them.
        weight_algorithm: what chooses the scales of int4 and int2 weights; see
            `low_bits.quantize_weights`. With int8 activations gptq is not possible.
        block_size: int4: inputs of a dense layer that share a scale; None: all of them.
        ranges: int8: how the ranges of activations are found on the samples; see
            `calibration.set_ranges`. int16x8 has steps fine enough for min_max alone.
        percentile: of ranges "percentile", above 50 and at most 100.
        bias_correction: int8 and int16x8: take out of each bias what its layer is off by on
            average; see `bias_correction.correct_biases`.
        weight_scales: int8 and int16x8: exact, or rounded up to powers of two, which are fewer
            bytes after compression; see `power_of_two_scales.round_scales`.
        custom_operators: keep operators that TFLite lacks under their TensorFlow names. Such a
            file does not run; it tells all that are missing at once.
        layers: single layers with another scheme; see `config.layer_schemes.LAYER_SCHEMES`.
    """

    name: str
    scheme: Scheme
    inference_io: InferenceIO = "int8"
    dense_scales: DenseScales = "per_channel"
    float_operators: FloatOperators = "refuse"
    weight_algorithm: WeightAlgorithm = "octav"
    block_size: int | None = None
    ranges: RangeKind = "min_max"
    percentile: float = DEFAULT_PERCENTILE
    bias_correction: bool = False
    weight_scales: WeightScales = "exact"
    custom_operators: bool = False
    layers: LayerSchemes | None = None

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ConfigError(f"scheme {self.scheme!r}: expected one of {', '.join(SCHEMES)}")
        if self.inference_io not in INFERENCE_IO:
            raise ConfigError(
                f"inference_io {self.inference_io!r}: expected one of {', '.join(INFERENCE_IO)}"
            )
        if self.float_operators not in FLOAT_OPERATORS:
            raise ConfigError(
                f"float_operators {self.float_operators!r}: expected one of "
                f"{', '.join(FLOAT_OPERATORS)}"
            )
        if self.weight_algorithm not in WEIGHT_ALGORITHMS:
            raise ConfigError(
                f"weight_algorithm {self.weight_algorithm!r}: expected one of "
                f"{', '.join(WEIGHT_ALGORITHMS)}"
            )
        if self.block_size not in (None, *BLOCK_SIZES):
            raise ConfigError(
                f"block_size {self.block_size}: expected one of {', '.join(map(str, BLOCK_SIZES))}"
            )

        if self.ranges not in RANGE_KINDS:
            raise ConfigError(f"ranges {self.ranges!r}: expected one of {', '.join(RANGE_KINDS)}")
        if self.ranges != "min_max" and self.scheme not in ("int8", "int8x4"):
            raise ConfigError(f"ranges {self.ranges!r} with scheme {self.scheme!r}: expected int8")
        if not 50 < self.percentile <= 100:
            raise ConfigError(f"percentile {self.percentile}: expected above 50 and at most 100")

        if self.weight_scales not in WEIGHT_SCALES:
            raise ConfigError(
                f"weight_scales {self.weight_scales!r}: expected one of {', '.join(WEIGHT_SCALES)}"
            )
        if self.weight_scales != "exact" and self.scheme not in CALIBRATED_SCHEMES:
            raise ConfigError(
                f"weight_scales {self.weight_scales!r} with scheme {self.scheme!r}: expected one "
                f"of {', '.join(CALIBRATED_SCHEMES)}"
            )
        if self.bias_correction and self.scheme not in CALIBRATED_SCHEMES:
            raise ConfigError(
                f"bias_correction with scheme {self.scheme!r}: expected one of "
                f"{', '.join(CALIBRATED_SCHEMES)}"
            )
        self._check_layers()

    def _check_layers(self) -> None:
        possible = LAYER_SCHEMES.get(self.scheme, ())
        for pattern, scheme in self.layers.patterns if self.layers is not None else ():
            if scheme not in possible:
                words = f"expected one of {', '.join(possible)}" if possible else "it takes none"
                raise ConfigError(
                    f"layers.{pattern}: {scheme!r} in a file of scheme {self.scheme}: {words}"
                )
        if self.uses_four_bits and self.weight_algorithm == "gptq":
            raise ConfigError("weight_algorithm 'gptq' with int8 activations: expected octav")

    @property
    def uses_four_bits(self) -> bool:
        """True for an integer file with int4 weights, at least of some layers."""
        if self.scheme not in CALIBRATED_SCHEMES:
            return False
        given = frozenset() if self.layers is None else self.layers.schemes
        return self.scheme == "int8x4" or "int4" in given

    @property
    def needs_samples(self) -> bool:
        """True if the file is made by what samples show."""
        if self.scheme in LOW_BIT_SCHEMES:
            return self.weight_algorithm == "gptq"
        return self.scheme in CALIBRATED_SCHEMES

    @property
    def io_dtype(self) -> str:
        """NumPy name of the dtype that inputs and outputs of the file have."""
        if self.scheme not in CALIBRATED_SCHEMES or self.inference_io == "float32":
            return "float32"
        return "int16" if self.scheme == "int16x8" else self.inference_io


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
        content = mend_lstm_scales(content)
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
