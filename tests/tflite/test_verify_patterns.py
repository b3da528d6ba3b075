"""Zero blocks and m of n counted in files of every scheme, and each way to break the promise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import PromiseError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.verify_patterns import PatternedKernel, check_patterns
from pipeline.tflite.worker import ConversionWorker

TWO_OF_FOUR = (2, 4)
# 3·3·8·16 and 6·6·16·8 weights: whole groups of 4 inputs.
CONV = PatternedKernel("conv", "kernel", (3, 3, 8, 16), None, TWO_OF_FOUR, 288)
LOGITS = PatternedKernel("logits", "kernel", (576, 8), None, TWO_OF_FOUR, 1152)
# The same zeros as blocks of 2 inputs × 1 output: the first half of each group.
CONV_BLOCKS = replace(CONV, block_size=(2, 1), sparsity_m_by_n=None)
SCHEMES = ("float32", "float16", "dynamic_range", "int8", "int16x8", "int4")


def build_model() -> Any:
    import keras

    generator = np.random.default_rng(3)
    image = keras.Input((8, 8, 8), name="image")
    x = keras.layers.Conv2D(16, 3, name="conv")(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Flatten(name="flat")(keras.layers.ReLU(name="relu")(x))
    model = keras.Model(image, keras.layers.Dense(8, name="logits")(x))
    for variable in model.weights:
        variable.assign(generator.uniform(0.5, 1.5, variable.shape))
    for name in ("conv", "logits"):
        kernel = model.get_layer(name).kernel.numpy()
        inputs = np.arange(kernel.shape[-2])[:, None]
        model.get_layer(name).kernel.assign(np.where(inputs % 4 < 2, 0.0, 0.1 * kernel))
    return model


@pytest.fixture(scope="module")
def files(worker: ConversionWorker, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("patterns")
    save_keras_model(build_model(), folder / "saved")
    x = np.random.default_rng(4).random((16, 8, 8, 8), dtype=np.float32)
    requests = [ConversionRequest(scheme, scheme) for scheme in SCHEMES]
    return convert(folder / "saved", requests, x, folder, worker)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pattern_is_in_every_file(files: dict[str, Path], scheme: str) -> None:
    check_patterns(files[scheme], [LOGITS, CONV])
    check_patterns(files[scheme], [CONV_BLOCKS])


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (
            replace(CONV, sparsity_m_by_n=(3, 4)),
            "0 groups of 4 weights with 3 zeros in conv/kernel, promised 288",
        ),
        (
            replace(CONV_BLOCKS, promised=289),
            "288 zero blocks of 2 × 1 in conv/kernel, promised 289: the pattern was lost",
        ),
        # Only half of each group is zero.
        (replace(CONV_BLOCKS, block_size=(4, 1)), "0 zero blocks of 4 × 1 in conv/kernel"),
        (
            replace(CONV, shape=(3, 3, 16, 8)),
            r"no kernel of 1152 weights that is stored as \(outputs 8, …, inputs 16\) for conv/ke",
        ),
    ],
)
def test_a_broken_promise_is_told_with_both_counts(
    files: dict[str, Path], kernel: PatternedKernel, words: str
) -> None:
    with pytest.raises(PromiseError, match=words):
        check_patterns(files["int8"], [kernel])
