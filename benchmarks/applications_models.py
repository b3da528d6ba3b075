"""The architectures of keras.applications that are measured, and what they are trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.config.families import family_of
from pipeline.data.prepared import PreparedData, Split
from pipeline.tasks.task import classification
from pipeline.training.dropout import dropping_less

SEED, CLASSES = 0, 10


def photographs(name: str, side: int, count: int) -> np.ndarray:
    """Cuts squares out of scikit-learn's two photographs, as the architecture takes them.

    Args:
        name: of the architecture: pixels from 0 to 255 if it scales them itself, else -1 to 1.
        side: height and width of a sample in pixels.
        count: number of samples.

    Returns:
        float32 (count, side, side, 3).
    """
    from sklearn.datasets import load_sample_images

    images = load_sample_images().images
    rng = np.random.default_rng(SEED)
    samples = []
    for number in range(count):
        image = images[number % len(images)]
        # Every second pixel of a square twice as wide: more of the picture.
        top, left = (int(rng.integers(size - 2 * side)) for size in image.shape[:2])
        samples.append(image[top : top + 2 * side : 2, left : left + 2 * side : 2])
    x = np.stack(samples).astype(np.float32)
    return x if family_of(name).mode == "inside" else x / 127.5 - 1


def build(name: str, side: int) -> Any:
    """Returns the architecture with its own top for ten classes, logits, random weights.

    Offsets of BatchNormalization begin at 1, where activations are nearly linear, and so amplify
    rounding less: the short training goes further.
    """
    import keras

    keras.utils.set_random_seed(SEED)
    model = getattr(keras.applications, name)(
        input_shape=(side, side, 3), weights=None, classes=CLASSES, classifier_activation=None
    )
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.beta.assign(np.ones(layer.beta.shape, np.float32))
    return model


def set_statistics(model: Any, x: np.ndarray) -> None:
    """Gives each BatchNormalization the statistics of `x`: behind fresh ones the signal dies."""
    import keras

    normalizations = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    if normalizations:
        with dropping_less(model, 0.0):  # statistics of the network as it will run
            model(x, training=True)
    for layer, momentum in zip(normalizations, momenta, strict=True):
        layer.momentum = momentum


def make_data(x: np.ndarray, samples: int) -> PreparedData:
    """Returns `x`, over and over or a part of it, to train on; which photograph is the answer."""
    rows = np.arange(samples) % len(x)
    splits = {"train": Split(x[rows], rows % 2), "validation": Split(x[:4], np.arange(4) % 2)}
    names = tuple(f"class {number}" for number in range(CLASSES))
    return PreparedData(splits, classification(names), x.shape[1:])
