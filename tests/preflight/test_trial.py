"""The trial conversion: what TFLite lacks and what int8 leaves in float, by layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.bridge.graph import walk
from pipeline.preflight.trial import (
    MOST_MACS,
    MOST_PARAMETERS,
    Trial,
    started_trial,
    too_large,
)
from pipeline.preflight.verdicts import Conversion
from pipeline.tflite.worker import ConversionWorker
from tests.bridge.bridge_models import residual


def trial(model: Any, converter: ConversionWorker, **more: Any) -> Trial:
    with started_trial(walk(model), converter, **more) as future:
        return future.result()


def test_a_missing_operator_is_named_with_its_layer(
    awkward_model: Any, converter: ConversionWorker
) -> None:
    found = trial(awkward_model, converter)
    name = next(op.name for op in awkward_model.operations if op.name.startswith("erfinv"))
    half = ("Conv2D (float16)", "BiasAdd (float16)")
    assert found.custom == {name: ("Erfinv",), "half_1": half, "half_2": half}
    assert found.conversion().state == "fails"
    verdict = found.verdict(name)
    assert verdict.blocks and verdict.reason == "TFLite has no operator Erfinv"
    assert verdict.fix.startswith("replace the layer by built-in layers")
    assert found.verdict("half_1").fix == "rebuild the layer with dtype float32"
    assert found.verdict("conv").answer == "yes"


def test_a_plain_model_becomes_integer(converter: ConversionWorker) -> None:
    samples = [np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32)]
    found = trial(residual(), converter, samples=samples)
    assert (found.custom, found.floats, found.int8) == ({}, {}, "")
    assert found.conversion() == Conversion("converts", "", "integer")
    assert found.verdict("main").reason == ""


def test_a_recurrent_model_is_tried_as_it_is_converted(converter: ConversionWorker) -> None:
    import keras

    layers = keras.layers
    inputs = keras.Input((6,), dtype="int32", name="tokens")
    x = layers.Embedding(9, 3, name="words")(inputs)
    x = layers.Bidirectional(layers.LSTM(4), name="both_ways")(x)
    found = trial(keras.Model(inputs, layers.Dense(2, name="logits")(x)), converter)
    assert found.conversion() == Conversion("converts", "", "integer")


def test_a_layer_that_draws_only_in_training_converts(converter: ConversionWorker) -> None:
    import keras

    inputs = keras.Input((4, 4, 1))
    x = keras.layers.RandomBrightness(0.1)(inputs)
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3)(x))
    assert trial(model, converter).conversion().state == "converts"


def test_what_is_too_large_is_not_tried() -> None:
    import keras

    graph = walk(residual())
    assert too_large(10, 10, graph) == ""
    assert too_large(MOST_PARAMETERS + 10**6, 0, graph) == "31 M parameters, tried up to 30 M"
    assert too_large(0, MOST_MACS * 2, graph) == "6.0 G MACs, tried up to 3 G"
    inputs = keras.Input((None, 2), name="x")
    open_sides = walk(keras.Model(inputs, keras.layers.Conv1D(1, 2)(inputs)))
    assert "input 'x' has no fixed shape" in too_large(0, 0, open_sides)
    not_tried = Trial(False, "too large")
    assert not_tried.conversion() == Conversion("not_tried", "too large")
    assert not_tried.verdict("any").answer == "not_tried"


def test_a_refusal_without_a_name_is_told_of_all_layers() -> None:
    refused = Trial(True, reason="out of memory")
    assert refused.conversion() == Conversion("fails", "out of memory")
    assert refused.verdict("any").reason == "the converter refuses the model: out of memory"


def test_float_operators_are_told_with_a_yes() -> None:
    partly = Trial(True, floats={"ln": ("NEG", "RSQRT")})
    found = partly.verdict("ln")
    assert partly.conversion().int8 == "partly_float"
    assert Trial(True, int8="a crash").conversion().int8_reason == "a crash"
    assert (found.answer, found.reason) == ("yes", "int8 leaves NEG, RSQRT in float32")


def test_a_conversion_that_takes_too_long_tells_nothing() -> None:
    with ConversionWorker(time_limit=0.01) as hurried:
        found = trial(residual(), hurried)
    assert found.conversion().state == "not_tried"
    assert "the conversion took longer than 0.01 s" in found.reason


def test_a_layer_that_does_not_run_is_a_reason_and_no_traceback(
    converter: ConversionWorker,
) -> None:
    import keras

    class Moody(keras.layers.Layer):
        moody = False

        def call(self, x: Any) -> Any:
            if self.moody:
                raise RuntimeError("not today\nnor tomorrow")
            return x

    inputs = keras.Input((4,))
    layer = Moody()
    model = keras.Model(inputs, layer(inputs))
    layer.moody = True
    found = trial(model, converter)
    assert found.conversion().state == "fails"
    assert "does not run as a graph of TensorFlow (RuntimeError: " in found.reason
    assert "\n" not in found.reason
