"""`model`: the architecture and what regularizes it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pipeline.config.applications import (
    ApplicationModel,
    MobileNetModel,
    MobileNetV2Model,
    MobileNetV3Model,
)
from pipeline.config.base import Section
from pipeline.config.text_models import TextCnnModel, TextLstmModel
from pipeline.config.weights import OWN_WEIGHTS, OwnWeights

Initializer = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
    "random_uniform",
    "random_normal",
    "truncated_normal",
]
Activation = Literal["relu", "relu6", "elu", "selu", "gelu", "silu", "tanh", "sigmoid"]
Normalization = Literal["none", "batch", "layer"]
MODEL_FILES = (".keras", ".h5", ".hdf5")
Width = Annotated[int, Field(ge=1, le=65536)]
Rate = Annotated[float, Field(ge=0, lt=1)]


class _Architecture(Section):
    dropout: Rate = Field(0.0, description="fraction of activations dropped")
    normalization: Normalization = Field(
        "none",
        description="after each hidden layer: batch (over the samples, folded into the weights "
        "when converted) or layer (over the features of a sample; not with quantize.method: qat)",
    )
    initializer: Initializer = Field("glorot_uniform", description="of all kernels")
    l1: float = Field(0.0, ge=0, description="weight of the kernels' L1 norm in the loss")
    l2: float = Field(0.0, ge=0, description="weight of the kernels' squared L2 norm in the loss")
    weights: OwnWeights = Field("none", description=OWN_WEIGHTS)


class _Convolutional(_Architecture):
    spatial_dropout: Rate = Field(
        0.0, description="fraction of whole feature maps dropped after convolutions"
    )


class FileModel(Section):
    """A model of your own: `.keras` of Keras 3 or tf_keras, or a whole-model `.h5`."""

    architecture: Literal["file"] = "file"
    path: Path = Field(description="the file; it is checked before anything of it is used")
    custom_objects: str | None = Field(
        None,
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
        description="module with the layers and functions of your own in the file; its code runs",
    )
    outputs: Literal["auto", "logits", "probabilities"] = Field(
        "auto", description="what the model answers; auto: as its last layer and its answers tell"
    )

    @field_validator("path")
    @classmethod
    def _known_form(cls, path: Path) -> Path:
        if path.suffix not in MODEL_FILES:
            raise ValueError(f"received '{path}', expected a file that ends in .keras or .h5")
        return path


class MlpModel(_Architecture):
    """Dense layers on the flattened input."""

    architecture: Literal["mlp"]
    units: tuple[Width, ...] = Field((64,), min_length=1, description="width of each layer")
    activation: Activation = Field("relu", description="of the hidden layers")


class Lenet300100Model(_Architecture):
    """LeNet-300-100 (LeCun et al. 1998): 300 and 100 units, 266,610 parameters on MNIST."""

    architecture: Literal["lenet_300_100"]


class Lenet5Model(_Convolutional):
    """LeNet-5 as in Caffe: 431,080 parameters on MNIST."""

    architecture: Literal["lenet_5"]


class SmallCnnModel(_Convolutional):
    """3×3 convolutions with pooling between them, then a dense layer."""

    architecture: Literal["small_cnn"]
    filters: tuple[Width, ...] = Field((16, 32), min_length=1, description="of each convolution")
    units: int = Field(64, ge=1, le=65536, description="width of the dense layer")


class DsCnnModel(_Convolutional):
    """Depthwise separable CNN (Zhang et al. 2017, MLPerf Tiny's keyword spotting)."""

    architecture: Literal["ds_cnn"]
    filters: int = Field(64, ge=1, le=65536, description="of each pointwise convolution")
    blocks: int = Field(4, ge=1, le=64, description="number of separable blocks")
    normalization: Normalization = Field("batch", description="after each convolution")


class Resnet8Model(_Convolutional):
    """ResNet-8 (MLPerf Tiny's image classification): three residual stacks."""

    architecture: Literal["resnet_8"]
    filters: int = Field(16, ge=1, le=65536, description="of the first stack; doubled twice")
    normalization: Normalization = Field("batch", description="after each convolution")


class AutoencoderModel(_Convolutional):
    """The input, through a narrow code, back to the input; for data.task: reconstruction."""

    architecture: Literal["autoencoder"]
    units: tuple[Width, ...] = Field(
        (), description="widths of the dense layers before the code; mirrored behind it"
    )
    filters: tuple[Width, ...] = Field(
        (), description="of 3×3 convolutions that halve the image; mirrored behind the code"
    )
    bottleneck: int = Field(16, ge=1, le=65536, description="numbers in the code")
    activation: Activation = Field("relu", description="of the hidden layers; the code is linear")

    @model_validator(mode="after")
    def _flat_or_convolutional(self) -> AutoencoderModel:
        if self.spatial_dropout > 0 and not self.filters:
            raise ValueError("spatial_dropout drops feature maps: it needs filters")
        if self.dropout > 0 and not self.units:
            raise ValueError("dropout acts behind dense layers: it needs units")
        return self


ModelConfig = Annotated[
    FileModel
    | MlpModel
    | Lenet300100Model
    | Lenet5Model
    | SmallCnnModel
    | DsCnnModel
    | Resnet8Model
    | AutoencoderModel
    | TextCnnModel
    | TextLstmModel
    | ApplicationModel
    | MobileNetModel
    | MobileNetV2Model
    | MobileNetV3Model,
    Field(discriminator="architecture", description="the network, and what regularizes it"),
]


def check_normalization_converts(model: ModelConfig, method: str) -> None:
    """Refuses layer normalization in quantization-aware training.

    Behind the bridge the files were int8 throughout and gave the model's label on 89 % of digits,
    where the others give it on 99 % (tensorflow 2.21.0). After training they give it on 99.8 %.

    Args:
        model: the model section.
        method: quantize.method.

    Raises:
        ValueError: naming what fits.
    """
    if method == "qat" and getattr(model, "normalization", "none") == "layer":
        raise ValueError(
            "quantize.method: qat has no exact integer form of model.normalization: layer; "
            "use normalization: batch, or method: ptq"
        )


RECONSTRUCTING = frozenset({"autoencoder"})


def check_model_fits_task(model: ModelConfig, task: str) -> None:
    """Refuses an architecture whose output is of another form than the task's answers.

    Args:
        model: the model section.
        task: data.task.

    Raises:
        ValueError: reconstruction needs an autoencoder, and only reconstruction takes one.
    """
    name = model.architecture
    if name == "file":
        return  # its outputs are looked at when it is loaded
    if task == "parity":
        raise ValueError(
            f"data.task parity compares files with a model that is there: give model.path, "
            f"received model.architecture {name}"
        )
    if task == "reconstruction" and name not in RECONSTRUCTING:
        raise ValueError(
            f"data.task reconstruction gives back the input, which model.architecture {name} "
            f"does not; use {', '.join(sorted(RECONSTRUCTING))}"
        )
    if task != "reconstruction" and name in RECONSTRUCTING:
        raise ValueError(
            f"model.architecture {name} gives back the input and has no answers for data.task "
            f"{task}; set data.task: reconstruction or use another architecture"
        )
