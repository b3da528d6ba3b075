"""The families of keras.applications: their preprocessing and the smallest input they take.

A literal table, since Keras is not imported to check a configuration; a test compares it with
keras.applications and fails when they part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "applications/"

# Spelled as in keras.applications.imagenet_utils.preprocess_input. tf: to [-1, 1]; torch: to
# [0, 1], then ImageNet's mean and deviation per channel; caffe: RGB to BGR, minus ImageNet's mean;
# inside: the network begins with its own preprocessing layers.
Mode = Literal["tf", "torch", "caffe", "inside"]


@dataclass(frozen=True)
class Family:
    """One module of keras.applications.

    Attributes:
        mode: what `preprocess_input` of the module does.
        smallest: smallest height and width in pixels, without the top.
        names: its networks.
    """

    mode: Mode
    smallest: int
    names: tuple[str, ...]


FAMILIES: dict[str, Family] = {
    "convnext": Family(
        "inside",
        32,
        ("ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtSmall", "ConvNeXtTiny", "ConvNeXtXLarge"),
    ),
    "densenet": Family("torch", 32, ("DenseNet121", "DenseNet169", "DenseNet201")),
    "efficientnet": Family("inside", 32, tuple(f"EfficientNetB{n}" for n in range(8))),
    "efficientnet_v2": Family(
        "inside",
        32,
        (
            "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3",
            "EfficientNetV2L", "EfficientNetV2M", "EfficientNetV2S",
        ),
    ),
    "inception_resnet_v2": Family("tf", 75, ("InceptionResNetV2",)),
    "inception_v3": Family("tf", 75, ("InceptionV3",)),
    "mobilenet": Family("tf", 32, ("MobileNet",)),
    "mobilenet_v2": Family("tf", 32, ("MobileNetV2",)),
    "mobilenet_v3": Family("inside", 32, ("MobileNetV3Large", "MobileNetV3Small")),
    "nasnet": Family("tf", 32, ("NASNetLarge", "NASNetMobile")),
    "resnet": Family("caffe", 32, ("ResNet101", "ResNet152", "ResNet50")),
    "resnet_v2": Family("tf", 32, ("ResNet101V2", "ResNet152V2", "ResNet50V2")),
    "vgg16": Family("caffe", 32, ("VGG16",)),
    "vgg19": Family("caffe", 32, ("VGG19",)),
    "xception": Family("tf", 71, ("Xception",)),
}  # fmt: skip


def class_of(architecture: str) -> str:
    """Returns the name in keras.applications: "applications/VGG16" → "VGG16"."""
    return architecture.removeprefix(PREFIX)


def family_of(architecture: str) -> Family:
    """Returns the family of an application.

    Args:
        architecture: e.g. "applications/VGG16".
    """
    name = class_of(architecture)
    return next(family for family in FAMILIES.values() if name in family.names)


def is_application(architecture: str) -> bool:
    """True for "applications/…"."""
    return architecture.startswith(PREFIX)
