"""All obstacles of a chain in one line, before anything is trained."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.preflight.refuse import refuse_impossible
from tests.bridge.bridge_models import residual


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
    words = message(awkward_model, config)
    assert words.startswith("model 'awkward': prune, quantize.method: qat: layers half_1, half_2 ")
    assert "computes in float16" in words
    assert "rebuild the model with dtype float32" in words


def test_a_chain_that_does_not_cross_is_not_held_to_the_bridge(awkward_model: Any) -> None:
    refuse_impossible(awkward_model, chain("quantize"))


def test_a_model_that_fits_passes() -> None:
    refuse_impossible(residual(), chain("prune", "quantize", quantize={"method": "qat"}))


def test_what_each_stage_refuses_is_told_together() -> None:
    import keras

    inputs = keras.Input((4, 4), name="x")
    outputs = keras.layers.LayerNormalization(name="ln")(inputs)
    config = chain("prune", "cluster", "quantize", quantize={"method": "qat"})
    words = message(keras.Model(inputs, outputs, name="bare"), config)
    assert words.startswith("model 'bare': 3 obstacles: prune: no layer of 'bare' can be pruned")
    assert "cluster: no layer" in words
    assert "no layer can be trained with quantization (tfmot cannot quantize the class" in words


def test_a_pattern_that_fits_no_layer_is_told_before_training() -> None:
    config = chain("prune", prune={"layers": {"nothing*": {"skip": True}}})
    assert "the pattern 'nothing*' matches no layer" in message(residual(), config)


def test_a_subclassed_model_has_no_graph() -> None:
    import keras

    class Own(keras.Model):
        pass

    words = message(Own(name="own"), chain("prune"))
    assert "prune: model 'own' of class Own is subclassed and has no graph to cross" in words
