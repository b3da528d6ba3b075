"""`quantize`: post-training schemes, or quantization-aware training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.distillation import Distillation
from pipeline.config.layer_schemes import LayerQuantization, check_layer_schemes
from pipeline.config.mixed_precision import MixedPrecision
from pipeline.config.optimizer import OptimizerConfig
from pipeline.config.ranges import CALIBRATED_SCHEMES, RangesConfig
from pipeline.config.schedule import CosineSchedule
from pipeline.config.train import FineTuneConfig

Scheme = Literal["float16", "dynamic_range", "int8", "int16x8", "int8x4", "int4", "int2", "mixed"]
# Weights of so few bits are made by ai-edge-quantizer, after the converter.
LOW_BITS = frozenset({"int8x4", "int4", "int2"})
INT8_ACTIVATIONS = frozenset({"int8", "int8x4"})

# Of method auto, where quantize.qat is not given: gentle, and with the float model as teacher.
LADDER_FINE_TUNING = FineTuneConfig(
    epochs=10,
    optimizer=OptimizerConfig(name="adam", learning_rate=3e-4),
    schedule=CosineSchedule(kind="cosine"),
    distillation=Distillation(),
)


class QuantizeConfig(Section):
    """One `.tflite` per scheme."""

    method: Literal["ptq", "qat", "auto"] = Field(
        "ptq",
        description="after training; training with quantization in the loop; or auto: one after "
        "the other, the cheapest first, until an int8 file keeps max_accuracy_drop or "
        "max_error_increase",
    )
    schemes: tuple[Scheme, ...] = Field(
        ("int8",),
        min_length=1,
        description="one file each; the first one is deployed. int8, int16x8 and int8x4 (int8 "
        "activations, int4 weights) compute in integers; dynamic_range, int4 and int2 have weights "
        "of 8, 4 and 2 bits and float inputs, and do not run under tflite-micro; mixed: see "
        "mixed_precision",
    )
    layers: dict[str, LayerQuantization] = Field(
        default_factory=dict,
        description="name pattern (fnmatch) → another scheme for these layers of each file; the "
        "first match wins (docs/mixed_precision.md)",
    )
    mixed_precision: MixedPrecision | None = Field(
        None, description="of scheme mixed: the bits of each layer under a budget"
    )
    inference_io: Literal["int8", "uint8", "float32"] = Field(
        "int8",
        description="type of inputs and outputs of int8 and int8x4 files; int16 for int16x8 files",
    )
    representative_samples: int = Field(
        200, ge=1, le=100_000, description="training samples that set the activations' ranges"
    )
    ranges: RangesConfig = Field(
        RangesConfig(),
        description="int8 and int8x4 files of method ptq: how activations' ranges are found",
    )
    bias_correction: bool = Field(
        False,
        description="integer files of method ptq: take out of each bias what its layer is off by "
        "on average on the representative samples",
    )
    cross_layer_equalization: bool = Field(
        False,
        description="method ptq: scale layers joined by ReLU against each other until their "
        "weights have equal ranges; the function stays, values that cluster shared do not",
    )
    dense_scales: Literal["per_channel", "per_tensor"] = Field(
        "per_channel",
        description="one scale per output of a dense layer, or one per kernel: coarser, but "
        "smaller once compressed; method qat always trains with one per kernel",
    )
    weight_scales: Literal["exact", "power_of_two"] = Field(
        "exact",
        description="int8 and int16x8 files: the scales of kernels as they are, or rounded up to "
        "powers of two: up to twice as coarse, but smaller once compressed (docs/scales.md)",
    )
    float_operators: Literal["refuse", "allow"] = Field(
        "refuse",
        description="integer files: refuse an operator that has no integer kernel, or "
        "allow it to compute in float32 between integer ones; what stays in float is named",
    )
    weight_algorithm: Literal["min_max", "octav", "mse", "gptq"] = Field(
        "octav",
        description="what chooses the scales of int4 and int2 weights; gptq also makes up for "
        "rounding on representative samples, in dense layers of int4 and int2 files (mse: no int2)",
    )
    block_size: Literal[32, 64, 128, 256] | None = Field(
        None,
        description="int4: so many inputs of a dense layer share a scale, instead of all of them",
    )
    qat: FineTuneConfig | None = Field(None, description="the fine-tuning of methods qat and auto")
    max_accuracy_drop: float | None = Field(
        None, ge=0, le=1, description="on validation data, against the float model; else exit 9"
    )

    max_error_increase: float | None = Field(
        None,
        ge=0,
        description="the same for tasks judged by an error: relative increase of the mean error, "
        "0.05 is 5 %",
    )

    @model_validator(mode="after")
    def _fits(self) -> QuantizeConfig:
        if len(set(self.schemes)) != len(self.schemes):
            raise ValueError("schemes: each one at most once")
        if self.method == "ptq" and self.qat is not None:
            raise ValueError("qat settings belong to methods qat and auto")
        if self.method == "qat" and self.schemes != ("int8",):
            raise ValueError("method qat trains for schemes: [int8]; leave the others to ptq")
        if self.dense_scales == "per_tensor" and self.method == "qat":
            raise ValueError("dense_scales belongs to ptq; method qat has one scale per kernel")
        if self.dense_scales == "per_tensor" and set(self.schemes) == {"float16"}:
            raise ValueError("dense_scales needs a scheme with scales; float16 has none")
        if self.weight_scales != "exact" and not set(self.file_schemes) & {"int8", "int16x8"}:
            raise ValueError("weight_scales belongs to schemes int8 and int16x8")
        if self.float_operators == "allow" and not set(CALIBRATED_SCHEMES) & set(self.file_schemes):
            raise ValueError("float_operators belongs to schemes int8, int16x8 and int8x4")
        self._check_auto()
        self._check_mixed()
        self._check_layers()
        self._check_ranges()
        self._check_bias_correction()
        self._check_equalization()
        self._check_low_bits()
        if self.inference_io == "uint8" and not set(self.file_schemes) <= INT8_ACTIVATIONS:
            raise ValueError("inference_io uint8 is possible with schemes int8 and int8x4 only")
        return self

    def _check_layers(self) -> None:
        if self.layers and self.method == "qat":
            raise ValueError("layers belongs to ptq; method qat trains every layer for int8")
        if self.layers and self.method == "auto":
            raise ValueError("method auto gives layers other schemes itself; leave layers out")
        check_layer_schemes(self.layers, self.file_schemes)

    def _check_mixed(self) -> None:
        if (self.mixed_precision is None) == ("mixed" in self.schemes):
            raise ValueError(
                "mixed_precision and mixed in schemes belong together, as in "
                "schemes: [mixed], mixed_precision: {max_gzip_bytes: 20000}"
            )
        if self.mixed_precision is not None and self.method != "ptq":
            raise ValueError("mixed_precision belongs to method ptq")

    def _check_equalization(self) -> None:
        if not self.cross_layer_equalization:
            return
        if self.method == "qat":
            raise ValueError("cross_layer_equalization belongs to ptq; method qat trains instead")
        if set(self.schemes) == {"float16"}:
            raise ValueError(
                "cross_layer_equalization needs a scheme with scales; float16 has none"
            )

    def _check_auto(self) -> None:
        if self.method != "auto":
            return
        if self.schemes != ("int8",):
            raise ValueError("method auto makes one file of schemes: [int8]; give no others")
        if self.allowed_loss is None:
            raise ValueError(
                "method auto tries until a promise is kept: give max_accuracy_drop, or "
                "max_error_increase for a task that is judged by an error"
            )
        if self.ranges.kind != "min_max" or self.bias_correction or self.cross_layer_equalization:
            raise ValueError(
                "method auto tries ranges, bias_correction and cross_layer_equalization itself; "
                "leave them out"
            )

    def _check_bias_correction(self) -> None:
        if not self.bias_correction:
            return
        if self.method == "qat":
            raise ValueError("bias_correction belongs to ptq; method qat learns its biases")
        if not set(CALIBRATED_SCHEMES) & set(self.file_schemes):
            raise ValueError("bias_correction belongs to schemes int8, int16x8 and int8x4")

    def _check_ranges(self) -> None:
        if self.ranges.kind == "min_max":
            return
        if self.method == "qat":
            raise ValueError("ranges belongs to ptq; method qat learns its ranges")
        if not INT8_ACTIVATIONS & set(self.file_schemes):
            raise ValueError("ranges belongs to schemes int8 and int8x4")

    def _check_low_bits(self) -> None:
        found = {*self.file_schemes, *(layer.scheme for layer in self.layers.values())}
        if self.weight_algorithm != "octav" and not LOW_BITS & found:
            raise ValueError("weight_algorithm belongs to schemes int8x4, int4 and int2")
        if self.weight_algorithm == "mse" and "int2" in found:
            raise ValueError("weight_algorithm mse knows no int2; use octav, gptq or min_max")
        four_bits = "int8x4" in found or ("int8" in self.file_schemes and "int4" in found)
        if self.weight_algorithm == "gptq" and four_bits:
            raise ValueError(
                "weight_algorithm gptq belongs to float activations, not to int4 weights beside "
                "int8 ones; use octav"
            )
        if self.block_size is None:
            return
        if "int4" not in self.schemes:
            raise ValueError("block_size belongs to scheme int4")
        if self.weight_algorithm == "mse":
            raise ValueError("block_size: weight_algorithm mse knows no blocks; use octav or gptq")
        if self.dense_scales == "per_tensor":
            raise ValueError("block_size and dense_scales: per_tensor exclude each other")

    @property
    def file_schemes(self) -> tuple[str, ...]:
        """The scheme of each file; that of `mixed` is the one from which its layers differ."""
        mixed = self.mixed_precision
        return tuple(
            mixed.scheme if scheme == "mixed" and mixed is not None else scheme
            for scheme in self.schemes
        )

    @property
    def allowed_loss(self) -> float | None:
        """The bound that fits the task: max_accuracy_drop or max_error_increase, or None."""
        if self.max_accuracy_drop is not None:
            return self.max_accuracy_drop
        return self.max_error_increase

    @property
    def fine_tuning(self) -> FineTuneConfig:
        """The fine-tuning of methods qat and auto, its defaults where none are given."""
        if self.qat is not None:
            return self.qat
        return LADDER_FINE_TUNING if self.method == "auto" else FineTuneConfig()
