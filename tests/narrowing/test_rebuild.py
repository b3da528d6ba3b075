"""The smaller model answers as the one whose removed channels are zero, on every topology."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from pipeline.errors import PromiseError
from pipeline.models.files import load_model, save_model
from pipeline.models.predict import predict_outputs
from pipeline.narrowing.channel_graph import ChannelGraph, find_channels
from pipeline.narrowing.groups import find_groups
from pipeline.narrowing.rebuild import prove_rebuilt, rebuild, silenced
from tests.narrowing.models import TOPOLOGIES, make, samples_for

ALL = pytest.mark.parametrize("name", TOPOLOGIES)


def half_of(channels: ChannelGraph) -> np.ndarray:
    """Every other unit of each group goes."""
    kept = np.ones(channels.count, bool)
    for group in find_groups(channels, np.zeros(channels.count), 2):
        kept[group.order[: (len(group.order) + 1) // 2]] = False
    return kept


def narrowed(name: str) -> tuple[Any, Any, ChannelGraph, np.ndarray]:
    model = make(name)
    channels = find_channels(model, lambda layer: False)
    kept = half_of(channels)
    return model, rebuild(model, channels, kept), channels, kept


@ALL
def test_channels_that_are_zero_change_no_output(name: str) -> None:
    """Filters, biases, and all that scales and shifts them set to zero, then removed."""
    model = make(name)
    channels = find_channels(model, lambda layer: False)
    kept = half_of(channels)
    layers = channels.graph.layers()
    for weight in channels.weights:
        variable = getattr(layers[weight.layer], weight.name)
        values = variable.numpy()
        for axis, units in weight.array.axes.items():
            if axis != weight.reads and weight.name != "moving_variance":
                np.moveaxis(values, axis, 0)[~kept[units]] = 0
        variable.assign(values)
    x = samples_for(model)
    expected = predict_outputs(model, x)
    assert expected.std(axis=0).min() > 1e-3
    smaller = rebuild(model, channels, kept)
    # Behind a sigmoid zero is one half, but times a channel that is zero.
    np.testing.assert_allclose(predict_outputs(smaller, x), expected, rtol=1e-4, atol=1e-5)


@ALL
def test_a_smaller_model_of_the_same_class_and_layers(name: str, tmp_path: Path) -> None:
    model, smaller, channels, kept = narrowed(name)
    before = model.count_params()
    assert type(smaller) is type(model)
    assert [layer.name for layer in smaller.layers] == [layer.name for layer in model.layers]
    assert smaller.count_params() < 0.85 * before
    for layer, units in channels.producers.items():
        assert smaller.get_layer(layer).output.shape[-1] == np.count_nonzero(kept[units])
    x = samples_for(model)
    assert prove_rebuilt(model, smaller, channels, kept, x) < 1e-5
    assert predict_outputs(model, x).std(axis=0).min() > 1e-3
    save_model(smaller, tmp_path / "small.keras")
    plain = keras.saving.load_model(tmp_path / "small.keras")
    np.testing.assert_array_equal(plain.predict(x, verbose=0), smaller.predict(x, verbose=0))
    assert load_model(tmp_path / "small.keras").count_params() == smaller.count_params()


@ALL
def test_another_filter_in_its_place_is_noticed(name: str) -> None:
    model, smaller, channels, kept = narrowed(name)
    target = next(w for w in smaller.weights if w.name in ("kernel", "embeddings"))
    target.assign(np.roll(target.numpy(), 1, axis=-1))
    with pytest.raises(PromiseError, match=r"narrow: the smaller model differs by .* report this"):
        prove_rebuilt(model, smaller, channels, kept, samples_for(model))


def test_silenced_kernels_are_put_back() -> None:
    model = make("residual")
    channels = find_channels(model, lambda layer: False)
    before = [weight.numpy() for weight in model.weights]
    outputs = predict_outputs(model, samples_for(model))
    with silenced(channels, half_of(channels)):
        assert np.abs(predict_outputs(model, samples_for(model)) - outputs).max() > 0.1
    for weight, values in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), values)
