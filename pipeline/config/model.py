"""`model`: the architecture and what regularizes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Section

Initializer = Literal[
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "orthogonal",
]
Activation = Literal["relu", "relu6", "elu", "selu", "gelu", "silu", "tanh", "sigmoid"]
Width = Annotated[int, Field(ge=1, le=65536)]


class _Architecture(Section):
    dropout: float = Field(0.0, ge=0, lt=1, description="fraction of activations dropped")
    batch_normalization: bool = Field(False, description="normalize after each hidden layer")
    initializer: Initializer = Field("glorot_uniform", description="of all kernels")
    l1: float = Field(0.0, ge=0, description="weight of the kernels' L1 norm in the loss")
    l2: float = Field(0.0, ge=0, description="weight of the kernels' squared L2 norm in the loss")


class MlpModel(_Architecture):
    """Dense layers on the flattened input."""

    architecture: Literal["mlp"]
    units: tuple[Width, ...] = Field((64,), min_length=1, description="width of each layer")
    activation: Activation = Field("relu", description="of the hidden layers")


class Lenet300100Model(_Architecture):
    """LeNet-300-100 (LeCun et al. 1998): 300 and 100 units, 266,610 parameters on MNIST."""

    architecture: Literal["lenet_300_100"]


class Lenet5Model(_Architecture):
    """LeNet-5 as in Caffe: 431,080 parameters on MNIST."""

    architecture: Literal["lenet_5"]


class SmallCnnModel(_Architecture):
    """3×3 convolutions with pooling between them, then a dense layer."""

    architecture: Literal["small_cnn"]
    filters: tuple[Width, ...] = Field((16, 32), min_length=1, description="of each convolution")
    units: int = Field(64, ge=1, le=65536, description="width of the dense layer")


class DsCnnModel(_Architecture):
    """Depthwise separable CNN (Zhang et al. 2017, MLPerf Tiny's keyword spotting)."""

    architecture: Literal["ds_cnn"]
    filters: int = Field(64, ge=1, le=65536, description="of each pointwise convolution")
    blocks: int = Field(4, ge=1, le=64, description="number of separable blocks")
    batch_normalization: bool = Field(True, description="normalize after each convolution")


class Resnet8Model(_Architecture):
    """ResNet-8 (MLPerf Tiny's image classification): three residual stacks."""

    architecture: Literal["resnet_8"]
    filters: int = Field(16, ge=1, le=65536, description="of the first stack; doubled twice")
    batch_normalization: bool = Field(True, description="normalize after each convolution")


ModelConfig = Annotated[
    MlpModel | Lenet300100Model | Lenet5Model | SmallCnnModel | DsCnnModel | Resnet8Model,
    Field(discriminator="architecture"),
]
