"""All obstacles of a chain in one line, before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.config.load import validate
from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.preflight.refuse import (
    find_impossible,
    refuse_impossible,
    stages_of_first_model,
)
from pipeline.preflight.verdicts import (
    ASPECTS,
    YES,
    Answers,
    Conversion,
    LayerRow,
    Preflight,
    Verdict,
)
from pipeline.tflite.worker import ConversionWorker
from tests.bridge.bridge_models import residual
from tests.preflight.subclassed import Own


def chain(*stages: str, **sections: Any) -> Config:
    data = {"source": "npz", "path": "x.npz"}
    return validate({"data": data, "stages": ["train", *stages, "export"], **sections})


def message(model: Any, config: Config) -> str:
    with pytest.raises(ConfigError) as caught:
        refuse_impossible(model, config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_layer_in_the_way_is_named_at_once(awkward_model: Any) -> None:
    config = chain("prune", "quantize", quantize={"method": "qat"})
    assert message(awkward_model, config) == (
        "model 'awkward': prune, quantize.method: qat: half_1, half_2: computes in float16 "
        "(prune and qat need float32: rebuild the model with dtype float32)"
    )


def test_a_chain_that_does_not_cross_is_not_held_to_the_bridge(awkward_model: Any) -> None:
    refuse_impossible(awkward_model, chain("quantize"))


def test_behind_distill_the_student_is_worked_on(awkward_model: Any) -> None:
    student = {"student": {"architecture": "mlp"}}
    quantize = {"method": "qat"}
    behind = chain("distill", "prune", "quantize", distill=student, quantize=quantize)
    assert stages_of_first_model(behind) == ("train", "export")
    refuse_impossible(awkward_model, behind)
    before = chain("prune", "distill", "quantize", distill=student, quantize=quantize)
    assert stages_of_first_model(before) == ("train", "prune", "export")
    assert "half_1, half_2: computes in float16" in message(awkward_model, before)


def test_a_model_that_fits_passes() -> None:
    refuse_impossible(residual(), chain("prune", "quantize", quantize={"method": "qat"}))


def test_what_each_stage_refuses_is_told_together() -> None:
    import keras

    inputs = keras.Input((4, 4), name="x")
    outputs = keras.layers.LayerNormalization(name="ln")(inputs)
    config = chain("prune", "cluster", "quantize", quantize={"method": "qat"})
    words = message(keras.Model(inputs, outputs, name="bare"), config)
    assert words.startswith(
        "model 'bare': 3 obstacles: prune: ln: no layer of 'bare' can be pruned"
    )
    assert "; cluster: ln: no layer" in words
    assert "; quantize.method: qat: ln: tfmot cannot quantize the class LayerNorm" in words
    assert words.endswith("(use quantize.method: ptq)")


def test_a_pattern_that_fits_no_layer_is_told_before_training() -> None:
    config = chain("prune", prune={"layers": {"nothing*": {"skip": True}}})
    assert "the pattern 'nothing*' matches no layer" in message(residual(), config)


def test_a_subclassed_model_has_no_graph() -> None:
    model = Own()
    model(np.zeros((1, 3), np.float32))
    refuse_impossible(model, chain("prune"))
    words = message(model, chain("prune", "cluster"))
    assert words == (
        "model 'own': cluster: own/first, own/second: inside the subclassed model 'own', which has "
        "no graph (write it with the functional API)"
    )


def test_with_a_converter_the_files_are_tried_too(
    awkward_model: Any, converter: ConversionWorker
) -> None:
    with pytest.raises(ConfigError, match=r"quantize, export: erfinv.*TFLite has no operator Erfi"):
        refuse_impossible(awkward_model, chain("quantize"), converter)


def test_float_operators_are_an_obstacle_unless_they_are_allowed() -> None:
    verdict = Verdict("yes", "int8 leaves NEG in float32")
    row = LayerRow(
        "ln", "LayerNormalization", 8, 0, 1, {a: YES for a in ASPECTS} | {"exported": verdict}
    )
    answers = Answers(None, "", None, None, "unknown", "")
    conversion = Conversion("converts", int8="partly_float")
    found = Preflight("m", "Functional", (row,), (), (), answers, conversion)
    assert find_impossible(found, chain("quantize")) == [
        "quantize.schemes: int8: ln: int8 leaves NEG in float32 (set quantize.float_operators: "
        "allow)"
    ]
    assert not find_impossible(found, chain("quantize", quantize={"float_operators": "allow"}))
    assert not find_impossible(found, chain("quantize", quantize={"schemes": ["float16"]}))
    assert not find_impossible(found, None)


def test_a_conversion_that_fails_or_refuses_int8() -> None:
    answers = Answers(None, "", None, None, "unknown", "")

    def found(conversion: Conversion) -> Preflight:
        return Preflight("m", "Functional", (), (), (), answers, conversion)

    assert find_impossible(found(Conversion("fails", "no memory")), None) == ["export: no memory"]
    refused = found(Conversion("converts", "", "refused", "a crash"))
    assert find_impossible(refused, chain("quantize")) == [
        "quantize.schemes: int8: a crash (leave int8 out)"
    ]
    auto = chain("quantize", quantize={"method": "auto", "max_accuracy_drop": 0.01})
    assert find_impossible(refused, auto) == [
        "quantize.schemes: int8: a crash (set quantize.method: ptq and another scheme)"
    ]
    assert not find_impossible(refused, None)


def test_a_pattern_of_quantize_that_matches_nothing() -> None:
    config = chain("quantize", quantize={"layers": {"convv_1": {"scheme": "float32"}}})
    assert "quantize.layers: the pattern 'convv_1' matches no layer" in message(residual(), config)
