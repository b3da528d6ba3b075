"""Different values counted in files of every scheme, and each way to break the promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import PromiseError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.inspect import inspect
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.verify_clusters import ClusteredKernel, check_clusters
from pipeline.tflite.worker import ConversionWorker

CONV = ClusteredKernel("conv", "kernel", (3, 3, 2, 8), 5, normalized=True)
WIDE = ClusteredKernel("wide", "kernel", (288, 16), 7, normalized=False)
LOGITS = ClusteredKernel("logits", "kernel", (16, 16), 4, normalized=False)
# Of the same shape as logits, with a value of its own for each weight: nothing was promised.
FREE = "free"


def build_model() -> Any:
    import keras

    generator = np.random.default_rng(3)
    image = keras.Input((8, 8, 2), name="image")
    x = keras.layers.Conv2D(8, 3, name="conv")(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Flatten(name="flat")(keras.layers.ReLU(name="relu")(x))
    x = keras.layers.Dense(16, activation="relu", name="wide")(x)
    x = keras.layers.Dense(16, activation="relu", name=FREE)(x)
    model = keras.Model(image, keras.layers.Dense(16, name="logits")(x))
    for variable in model.weights:
        variable.assign(generator.uniform(0.5, 1.5, variable.shape))
    for kernel in (CONV, WIDE, LOGITS):
        values = generator.choice(np.arange(kernel.number_of_clusters) - 2.0, kernel.shape)
        model.get_layer(kernel.layer).kernel.assign(values * 0.1)
    return model


@pytest.fixture(scope="module")
def files(worker: ConversionWorker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("clustered")
    save_keras_model(build_model(), folder / "saved")
    requests = [
        ConversionRequest(scheme, scheme) for scheme in ("float32", "float16", "dynamic_range")
    ]
    requests += [
        ConversionRequest("per_channel", "int8"),
        ConversionRequest("per_tensor", "int8", dense_scales="per_tensor"),
    ]
    x = np.random.default_rng(4).random((64, 8, 8, 2), dtype=np.float32)
    return convert(folder / "saved", requests, x, folder, worker)


@pytest.mark.parametrize(
    "name", ["float32", "float16", "dynamic_range", "per_channel", "per_tensor"]
)
def test_the_promise_holds_in_every_file(files: dict[str, Path], name: str) -> None:
    check_clusters(files[name], [LOGITS, WIDE, CONV])


def test_scales_of_channels_and_folded_normalization_multiply_the_values(
    files: dict[str, Path],
) -> None:
    """Why the promise is per channel there: the kernel as a whole has more values."""
    kernels = {kernel.shape: kernel.counts.distinct for kernel in inspect(files["float32"]).kernels}
    assert kernels[(8, 3, 3, 2)] > 5
    kernels = {k.shape: k.counts.distinct for k in inspect(files["per_tensor"]).kernels}
    assert kernels[(16, 288)] == 7


@pytest.mark.parametrize(
    ("name", "kernel", "words"),
    [
        (
            "float32",
            ("wide", (288, 16), 6, False),
            "7 different values in wide/kernel, promised at",
        ),
        ("per_tensor", ("wide", (288, 16), 6, False), "7 different values in wide/kernel"),
        ("per_channel", ("wide", (288, 16), 6, False), "7 .* in one output channel of wide/kernel"),
        ("float32", ("conv", (3, 3, 2, 8), 4, True), "5 .* in one output channel of conv/kernel"),
        # Without the folding of a normalization, the whole kernel is held to it.
        ("float32", ("conv", (3, 3, 2, 8), 5, False), "different values in conv/kernel"),
        (
            "float32",
            ("none", (3, 3, 2, 9), 5, False),
            r"no kernel with the dimensions \(2, 3, 3, 9",
        ),
    ],
)
def test_a_broken_promise_names_the_kernel(
    files: dict[str, Path], name: str, kernel: tuple[Any, ...], words: str
) -> None:
    layer, shape, clusters, normalized = kernel
    with pytest.raises(PromiseError, match=words):
        check_clusters(files[name], [ClusteredKernel(layer, "kernel", shape, clusters, normalized)])


def test_kernels_of_one_shape_are_matched_and_both_must_keep_theirs(
    files: dict[str, Path],
) -> None:
    both = [LOGITS, ClusteredKernel(FREE, "kernel", (16, 16), 16, normalized=False)]
    with pytest.raises(PromiseError, match="256 different values in free/kernel, promised at most"):
        check_clusters(files["float32"], both)
    with pytest.raises(PromiseError, match="no kernel with the dimensions"):
        any_values = ClusteredKernel(FREE, "kernel", (16, 16), 256, normalized=False)
        check_clusters(files["float32"], [LOGITS, any_values, any_values])


def test_gates_of_a_recurrent_layer_are_found_by_their_size(files: dict[str, Path]) -> None:
    """A kernel in four parts of 256 weights is not there: only two are."""
    with pytest.raises(PromiseError, match="no kernel with the dimensions"):
        check_clusters(files["float32"], [ClusteredKernel("r", "kernel", (16, 64), 256, False)])
