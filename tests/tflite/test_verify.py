"""Promises that hold, and each way to break them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import PromiseError
from pipeline.tasks.task import classification
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.inspect import inspect
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.verify import check_dtypes, check_sparsity, check_zeros_kept, compare_outputs
from pipeline.tflite.worker import ConversionWorker
from tests.tflite.conftest import Converted

DENSE = ((288, 4), 0.75)

FOUR = classification(("a", "b", "c", "d"))


@dataclass(frozen=True)
class Kernel:
    """A kernel of the Keras model, counted."""

    name: str
    parameters: int
    zeros: int


def test_every_file_keeps_the_types_it_was_asked_for(converted: Converted) -> None:
    for name, request in converted.requests.items():
        check_dtypes(converted.paths[name], request)


@pytest.mark.parametrize(
    ("file", "asked", "message"),
    [
        ("int8_float32", ConversionRequest("a", "int8"), "input 'image' is float32, promised int8"),
        (
            "float32",
            ConversionRequest("a", "int8", "float32"),
            r"CONV_2D × 1, DEPTHWISE_CONV_2D × 1, .* computes in float32 .*: allow leaves it so",
        ),
        (
            "float32",
            ConversionRequest("a", "int8", "float32", float_operators="allow"),
            r"all kernels stay in float32 .*use quantize.schemes: \[dynamic_range\]",
        ),
        ("float32", ConversionRequest("a", "float16"), "is float32, promised float16"),
        ("float16", ConversionRequest("a", "float32"), "is float16, promised float32"),
        ("float32", ConversionRequest("a", "dynamic_range"), r"\(4, 288\) is float32, promised"),
        ("int8", ConversionRequest("a", "int16x8"), "'image' is int8, promised int16"),
        # int8 kernels but float activations: only the tensors in between give it away.
        ("dynamic_range", ConversionRequest("a", "int8", "float32"), "computes in float32"),
    ],
)
def test_another_type_is_named(
    converted: Converted, file: str, asked: ConversionRequest, message: str
) -> None:
    with pytest.raises(PromiseError, match=message):
        check_dtypes(converted.paths[file], asked)


def test_float_activations_between_int8_kernels_are_found(
    worker: ConversionWorker, tmp_path: Path
) -> None:
    import keras

    x = keras.Input((64,), name="x")
    model = keras.Model(x, keras.layers.Dense(32, name="logits")(x))
    save_keras_model(model, tmp_path / "dense")
    request = ConversionRequest("dense", "dynamic_range")
    path = convert(tmp_path / "dense", [request], None, tmp_path, worker)["dense"]
    check_dtypes(path, request)
    with pytest.raises(PromiseError, match="FULLY_CONNECTED × 1 computes in float32"):
        check_dtypes(path, ConversionRequest("dense", "int8", "float32"))


@pytest.mark.parametrize(
    "name",
    ["float32", "float16", "dynamic_range", "int8", "int16x8", "int4", "int4_blocks", "int2"],
)
def test_sparsity_holds_in_every_file(converted: Converted, name: str) -> None:
    path = converted.paths[name]
    assert check_sparsity(path, [DENSE]) >= 0.75
    # 864 of 1368 kernel elements.
    assert check_sparsity(path, 0.63) >= 864 / 1368


def test_a_broken_sparsity_promise_tells_both_figures(converted: Converted) -> None:
    path = converted.paths["float32"]
    with pytest.raises(PromiseError, match=r"\(4, 288\) is 0\.7500 \(864 of 1152\), promised 0\.8"):
        check_sparsity(path, [((288, 4), 0.8)])
    with pytest.raises(PromiseError, match=r"all kernels is 0\.6316 .* promised 0\.9000"):
        check_sparsity(path, 0.9)
    with pytest.raises(PromiseError, match=r"1 kernels with dimensions \(4, 288\), promised 2"):
        check_sparsity(path, [DENSE, DENSE])
    with pytest.raises(PromiseError, match=r"conv.* promised 0\.5000"):
        check_sparsity(path, [DENSE, ((3, 3, 2, 8), 0.5)])


def test_one_element_of_rounding_is_allowed(converted: Converted) -> None:
    check_sparsity(converted.paths["float32"], [((288, 4), 865 / 1152)])
    with pytest.raises(PromiseError):
        check_sparsity(converted.paths["float32"], [((288, 4), 866 / 1152)])


def test_zeros_kept(converted: Converted) -> None:
    kernels = [Kernel("logits", 1152, 864), Kernel("conv", 144, 0), Kernel("depthwise", 72, 0)]
    for path in converted.paths.values():
        check_zeros_kept(path, kernels)
    with pytest.raises(PromiseError, match="864 zeros in logits, promised 900 of 1152"):
        check_zeros_kept(converted.paths["float32"], [Kernel("logits", 1152, 900)])


def test_split_kernels_are_compared_together(converted: Converted) -> None:
    path = converted.paths["float32"]
    # No kernel has 1368 elements; together the three have, with 864 zeros.
    check_zeros_kept(path, [Kernel("merged", 1368, 864)])
    with pytest.raises(PromiseError, match="864 zeros in merged, promised 865"):
        check_zeros_kept(path, [Kernel("merged", 1368, 865)])


def test_outputs_agree_with_the_model(converted: Converted) -> None:
    parity = compare_outputs(converted.paths["float32"], converted.x, converted.logits, FOUR)
    assert set(parity) == {
        "samples", "max_difference", "mean_difference", "spread", "label_agreement",
    }  # fmt: skip
    assert parity["samples"] == 64
    assert parity["max_difference"] < 1e-4
    assert parity["label_agreement"] == 1.0


def test_two_swapped_filters_do_not_agree(
    converted: Converted, worker: ConversionWorker, tmp_path: Path
) -> None:
    """The negative control: a comparison that cannot fail proves nothing."""
    conv = converted.model.get_layer("conv")
    kernel = np.array(conv.kernel)
    try:
        conv.kernel.assign(kernel[..., [1, 0, *range(2, 8)]])
        save_keras_model(converted.model, tmp_path / "swapped")
    finally:
        conv.kernel.assign(kernel)
    request = ConversionRequest("swapped", "float32")
    path = convert(tmp_path / "swapped", [request], None, tmp_path, worker)["swapped"]
    parity = compare_outputs(path, converted.x, converted.logits, FOUR)
    assert parity["max_difference"] > 0.1


def test_a_reference_that_does_not_vary_is_refused(converted: Converted) -> None:
    same = np.repeat(converted.x[:1], 3, axis=0)
    with pytest.raises(PromiseError, match="proves nothing"):
        compare_outputs(converted.paths["float32"], same, np.ones((3, 4), np.float32), FOUR)


def test_dense_scales_are_counted_in_the_file(converted: Converted) -> None:
    scales = {
        name: {
            len(kernel.shape): kernel.scales for kernel in inspect(converted.paths[name]).kernels
        }
        for name in ("int8", "int8_per_tensor")
    }
    assert scales["int8"][2] == 4, "one per output of the dense layer"
    assert scales["int8_per_tensor"][2] == 1
    assert scales["int8_per_tensor"][4] == scales["int8"][4] == 8, "convolutions keep theirs"
    check_dtypes(converted.paths["int8_per_tensor"], converted.requests["int8_per_tensor"])
    with pytest.raises(PromiseError, match="has 4 scales, promised 1"):
        check_dtypes(converted.paths["int8"], converted.requests["int8_per_tensor"])
