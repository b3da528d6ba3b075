"""What is asked of the converter: one `.tflite` file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pipeline.config.layer_schemes import LAYER_SCHEMES
from pipeline.config.ranges import CALIBRATED_SCHEMES, DEFAULT_PERCENTILE, RangeKind
from pipeline.errors import ConfigError
from pipeline.tflite.layer_schemes import LayerSchemes
from pipeline.tflite.low_bits import (
    BLOCK_SIZES,
    LOW_BIT_SCHEMES,
    WEIGHT_ALGORITHMS,
    WeightAlgorithm,
)

Scheme = Literal["float32", "float16", "dynamic_range", "int8", "int16x8", "int8x4", "int4", "int2"]
InferenceIO = Literal["int8", "uint8", "float32"]
DenseScales = Literal["per_channel", "per_tensor"]
FloatOperators = Literal["refuse", "allow"]
WeightScales = Literal["exact", "power_of_two"]

SCHEMES = ("float32", "float16", "dynamic_range", *CALIBRATED_SCHEMES, *LOW_BIT_SCHEMES)
INFERENCE_IO = ("int8", "uint8", "float32")
FLOAT_OPERATORS = ("refuse", "allow")
WEIGHT_SCALES = ("exact", "power_of_two")
_POSSIBLE: dict[str, tuple[str, ...]] = {
    "scheme": SCHEMES,
    "inference_io": INFERENCE_IO,
    "float_operators": FLOAT_OPERATORS,
    "weight_algorithm": WEIGHT_ALGORITHMS,
    "ranges": get_args(RangeKind),
    "weight_scales": WEIGHT_SCALES,
}


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
        ranges: int8 and int8x4: how the ranges of activations are found on the samples; see
            `calibration.set_ranges`. int16x8 has steps fine enough for min_max alone.
        percentile: of ranges "percentile", above 50 and at most 100.
        bias_correction: calibrated schemes: take out of each bias what its layer is off by on
            average; see `bias_correction.correct_biases`.
        weight_scales: calibrated schemes: exact, or those of int8 kernels rounded up to powers of
            two, which are fewer bytes after compression; see `power_of_two_scales.round_scales`.
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
        for field, possible in _POSSIBLE.items():
            received = getattr(self, field)
            if received not in possible:
                raise ConfigError(f"{field} {received!r}: expected one of {', '.join(possible)}")
        if self.block_size not in (None, *BLOCK_SIZES):
            raise ConfigError(
                f"block_size {self.block_size}: expected one of {', '.join(map(str, BLOCK_SIZES))}"
            )
        if self.ranges != "min_max" and self.scheme not in ("int8", "int8x4"):
            raise ConfigError(f"ranges {self.ranges!r} with scheme {self.scheme!r}: expected int8")
        if not 50 < self.percentile <= 100:
            raise ConfigError(f"percentile {self.percentile}: expected above 50 and at most 100")
        calibrated = ", ".join(CALIBRATED_SCHEMES)
        if self.weight_scales != "exact" and self.scheme not in CALIBRATED_SCHEMES:
            raise ConfigError(
                f"weight_scales {self.weight_scales!r} with scheme {self.scheme!r}: expected one "
                f"of {calibrated}"
            )
        if self.bias_correction and self.scheme not in CALIBRATED_SCHEMES:
            raise ConfigError(
                f"bias_correction with scheme {self.scheme!r}: expected one of {calibrated}"
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
