"""Ranges between calibration and quantizer: which tensors get others, and what the files become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.tflite.calibration import adjustable_tensors
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import ModelFile, Tensor, read_model
from pipeline.tflite.interpreter import load
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.verify import check_dtypes
from pipeline.tflite.worker import ConversionWorker

KINDS = (("min_max", 99.99), ("percentile", 99.0), ("percentile", 100.0), ("mse", 99.99))


def build_branched() -> Any:
    """Operators that share scales (pooling, concatenation) and have fixed ranges (softmax, …)."""
    import keras

    layers = keras.layers
    image = keras.Input((8, 8, 2), name="image")
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="conv")(image)
    pooled = layers.MaxPooling2D(name="pool")(x)
    strided = layers.Conv2D(4, 3, 2, padding="same", name="strided")(x)
    y = layers.Concatenate(name="join")([pooled, strided])
    y = layers.Add(name="add")([y, layers.Conv2D(10, 1, name="side")(y)])
    y = layers.Flatten(name="flat")(layers.Activation("tanh", name="tanh")(y))
    scores = layers.Dense(3, activation="softmax", name="scores")(y)
    model = keras.Model(image, scores)
    generator = np.random.default_rng(2)
    for weight in model.weights:
        weight.assign((generator.normal(size=weight.shape) / 2).astype(np.float32))
    return model


@pytest.fixture(scope="module")
def branched(worker: ConversionWorker, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(samples, outputs of the Keras model, files by (kind, percentile))."""
    folder, model = tmp_path_factory.mktemp("branched"), build_branched()
    x = np.random.default_rng(5).normal(size=(64, 8, 8, 2)).astype(np.float32)
    x[0, 0, 0] = 30.0  # one pixel far from all others
    save_keras_model(model, folder / "saved_model")
    requests: dict[Any, ConversionRequest] = {
        pair: ConversionRequest(
            f"{pair[0]}_{pair[1]:g}", "int8", ranges=pair[0], percentile=pair[1]
        )
        for pair in KINDS
    }
    asked = [*requests.values(), ConversionRequest("float", "float32")]
    files = convert(folder / "saved_model", asked, x, folder, worker)
    for request in requests.values():
        check_dtypes(files[request.name], request)
    paths: dict[Any, Path] = {pair: files[request.name] for pair, request in requests.items()}
    paths["float"] = files["float"]
    return x, model.predict(x, verbose=0), paths


def tensor_of(model: ModelFile, words: str) -> Tensor:
    """The activation whose name holds these words."""
    found = [
        tensor
        for tensor in model.main.tensors
        if words in tensor.name and tensor.data is None and tensor.dtype == "int8"
    ]
    return found[-1]


def scale_of(path: Path, words: str) -> float:
    return float(tensor_of(read_model(path), words).scales[0])


def test_an_outlier_no_longer_makes_the_steps_of_all_others(branched: Any) -> None:
    x, expected, paths = branched
    whole, cut = paths[KINDS[0]], paths[KINDS[1]]
    # 99 % of normal values lie within 2.6, the outlier at 30.
    assert scale_of(whole, "image") == pytest.approx((30 - x.min()) / 255, rel=0.01)
    assert scale_of(cut, "image") == pytest.approx(2 * 2.33 / 255, rel=0.1)
    errors = [
        float(np.square(load(path).predict(x[1:]) - expected[1:]).mean()) for path in (whole, cut)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_percentile_100_is_min_max(branched: Any) -> None:
    _, _, paths = branched
    for words in ("image", "strided", "side"):
        assert scale_of(paths[KINDS[2]], words) <= scale_of(paths[KINDS[0]], words) * 1.0001


@pytest.mark.parametrize("pair", KINDS[1:])
def test_shared_and_fixed_scales_are_the_quantizers(branched: Any, pair: tuple[str, float]) -> None:
    _, _, paths = branched
    path = paths[pair]
    assert scale_of(path, "pool") == scale_of(path, "join")
    assert scale_of(path, "tanh") == 1 / 128
    assert load(path).outputs[0].scale == 1 / 256  # softmax
    # Logits lie behind the last kernel: two that are cut off would be a tie.
    assert scale_of(path, "scores") == pytest.approx(scale_of(paths[KINDS[0]], "scores"), rel=0.01)


def test_only_what_a_kernel_is_behind_is_adjustable(branched: Any) -> None:
    _, _, paths = branched
    model = read_model(paths["float"])
    names = [model.main.tensors[index].name for index in adjustable_tensors(model)]
    words = ("image", "conv", "pool", "strided", "join", "side", "add", "tanh", "flat")
    assert all(any(word in name for name in names) for word in words)
    assert not any("scores" in name for name in names)
    # Of an int8 file no tensor is a float activation.
    assert adjustable_tensors(read_model(paths[KINDS[0]])) == ()
