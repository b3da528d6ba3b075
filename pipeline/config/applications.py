"""`model.architecture: applications/<Name>`: the networks of keras.applications without their top.

Keras is not imported to check a configuration, so the names stand here as literals; a test
compares them with keras.applications and fails when they part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline.config.base import Section
from pipeline.config.data import ENCODED
from pipeline.config.families import family_of
from pipeline.config.weights import Weights

if TYPE_CHECKING:
    from pipeline.config.schema import Config

Side = Annotated[int, Field(ge=1, le=4096)]


class _Application(Section):
    weights: Weights = Field(
        "none",
        description="none: random; imagenet: Keras's own, from the network or ~/.keras/models; "
        "else a local file (.weights.h5, .h5, .npz or .keras) whose weights are read",
    )
    resize: tuple[Side, Side] | None = Field(
        None, description="height and width in pixels to which the model resizes its input"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="in front of the new head")
    initializer: Literal["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"] = Field(
        "glorot_uniform", description="of the new head's kernel"
    )
    l1: float = Field(0.0, ge=0, description="weight of the head kernel's L1 norm in the loss")
    l2: float = Field(0.0, ge=0, description="weight of its squared L2 norm in the loss")


class ApplicationModel(_Application):
    """A network of keras.applications: pooled features, then a new head."""

    architecture: Literal[
        "applications/ConvNeXtBase",
        "applications/ConvNeXtLarge",
        "applications/ConvNeXtSmall",
        "applications/ConvNeXtTiny",
        "applications/ConvNeXtXLarge",
        "applications/DenseNet121",
        "applications/DenseNet169",
        "applications/DenseNet201",
        "applications/EfficientNetB0",
        "applications/EfficientNetB1",
        "applications/EfficientNetB2",
        "applications/EfficientNetB3",
        "applications/EfficientNetB4",
        "applications/EfficientNetB5",
        "applications/EfficientNetB6",
        "applications/EfficientNetB7",
        "applications/EfficientNetV2B0",
        "applications/EfficientNetV2B1",
        "applications/EfficientNetV2B2",
        "applications/EfficientNetV2B3",
        "applications/EfficientNetV2L",
        "applications/EfficientNetV2M",
        "applications/EfficientNetV2S",
        "applications/InceptionResNetV2",
        "applications/InceptionV3",
        "applications/NASNetLarge",
        "applications/NASNetMobile",
        "applications/ResNet101",
        "applications/ResNet101V2",
        "applications/ResNet152",
        "applications/ResNet152V2",
        "applications/ResNet50",
        "applications/ResNet50V2",
        "applications/VGG16",
        "applications/VGG19",
        "applications/Xception",
    ]


class MobileNetModel(_Application):
    """MobileNet (Howard et al. 2017)."""

    architecture: Literal["applications/MobileNet"]
    alpha: float = Field(1.0, gt=0, le=4, description="factor on the filters of each layer")
    depth_multiplier: int = Field(1, ge=1, le=4, description="of the depthwise convolutions")


class MobileNetV2Model(_Application):
    """MobileNetV2 (Sandler et al. 2018)."""

    architecture: Literal["applications/MobileNetV2"]
    alpha: float = Field(1.0, gt=0, le=4, description="factor on the filters of each layer")


class MobileNetV3Model(_Application):
    """MobileNetV3 (Howard et al. 2019)."""

    architecture: Literal["applications/MobileNetV3Large", "applications/MobileNetV3Small"]
    alpha: float = Field(1.0, gt=0, le=4, description="factor on the filters of each layer")
    minimalistic: bool = Field(
        False, description="without squeeze-and-excite, hard-swish and 5×5 convolutions"
    )


APPLICATION_MODELS = (ApplicationModel, MobileNetModel, MobileNetV2Model, MobileNetV3Model)
AnyApplication = ApplicationModel | MobileNetModel | MobileNetV2Model | MobileNetV3Model


def check_application(config: Config) -> None:
    """Refuses what does not fit an application, before anything is read.

    Args:
        config: the whole configuration.

    Raises:
        ValueError: the first fault, its field first.
    """
    model, transfer = config.model, config.train.transfer
    if not isinstance(model, APPLICATION_MODELS):
        if transfer is not None:
            raise ValueError(
                "train.transfer: needs a model with a base to freeze, received model.architecture "
                f"{model.architecture}; use applications/<Name> or leave train.transfer out"
            )
        return
    if transfer is not None and "tune" in config.stages:
        raise ValueError(
            "train.transfer: 'tune' trains each trial in one phase; leave tune out of stages, or "
            "train.transfer out"
        )
    _check_pixels(config)
    family = family_of(model.architecture)
    if model.resize is not None and min(model.resize) < family.smallest:
        raise ValueError(
            f"model.resize: received {list(model.resize)}, and {model.architecture} needs at "
            f"least {family.smallest}×{family.smallest} pixels"
        )


def _check_pixels(config: Config) -> None:
    """Every family's preprocessing, inside the model, begins at pixels from 0 to 255."""
    name, data = config.model.architecture, config.data
    if data.sample_kind in ENCODED:
        raise ValueError(
            f"model.architecture: {name} needs images, and data.source {data.source} gives "
            f"{data.sample_kind}; use another architecture"
        )
    kind = data.preprocessing_kind
    if kind == "none" or (kind == "rescale" and data.preprocessing.scale is not None):
        return
    raise ValueError(
        f"data.preprocessing: {name} has its family's preprocessing inside and expects pixels from "
        f"0 to 255, received kind {kind}; use {{kind: none}}, or for samples of another range "
        "{kind: rescale, scale: S} with S = 255 / their largest value"
    )
