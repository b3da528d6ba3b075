"""Scores of units: by hand for the norms, against the true change of the loss for Taylor."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.prepared import Split
from pipeline.narrowing.channel_graph import find_channels
from pipeline.narrowing.rebuild import silenced
from pipeline.narrowing.scores import score_by_norm, score_by_scale, score_by_taylor
from pipeline.tasks.task import classification
from pipeline.training.evaluate import evaluate_model
from tests.narrowing.models import make, samples_for

TASK = classification(("a", "b", "c"))


@pytest.mark.parametrize("order", [1, 2])
def test_norms_are_those_of_the_filters_averaged_over_tied_layers(order: int) -> None:
    model = make("residual")
    channels = find_channels(model, lambda name: False)
    scores = score_by_norm(channels, order)
    norms = []
    for name in ("stem", "outer"):
        filters = model.get_layer(name).kernel.numpy().reshape(-1, 6)
        norm = np.abs(filters).sum(0) if order == 1 else np.sqrt((filters**2).sum(0))
        norms.append(norm / np.sqrt((norm**2).sum()))
    expected = np.mean(norms, axis=0)
    np.testing.assert_allclose(scores[channels.producers["stem"]], expected, rtol=1e-6)
    assert np.isnan(scores[channels.readings[0].units]).all()  # the image is no filter's


def test_every_kind_of_kernel_is_scored() -> None:
    for name in ("depthwise", "text", "gated"):
        channels = find_channels(make(name), lambda layer: False)
        scores = score_by_norm(channels, 1)
        for layer, units in channels.producers.items():
            assert np.isfinite(scores[units]).all(), layer


def test_the_scale_of_a_batch_normalization_is_the_score() -> None:
    model = make("chain")
    channels = find_channels(model, lambda name: False)
    scores = score_by_scale(channels)
    gamma = np.abs(model.get_layer("n1").gamma.numpy())
    np.testing.assert_allclose(
        scores[channels.producers["c1"]], gamma / np.linalg.norm(gamma), rtol=1e-6
    )
    assert np.isnan(scores[channels.producers["c2"]]).all()


@pytest.mark.parametrize("name", ["residual", "flattened", "chain"])
def test_taylor_estimates_what_the_loss_does_without_a_unit(name: str) -> None:
    """For channels that nearly vanish the first order is all that there is."""
    model = make(name)
    channels = find_channels(model, lambda layer: False)
    layers = channels.graph.layers()
    for weight in channels.weights:  # readings of 1/100, so that higher orders do not count
        if weight.reads is not None and weight.layer != "logits":
            variable = getattr(layers[weight.layer], weight.name)
            variable.assign(variable / 100)
    x = samples_for(model, 1)
    split = Split(x, np.array([1]))
    scores = score_by_taylor(channels, split, TASK)
    whole = evaluate_model(model, split, TASK)["loss"]
    unit = int(max(channels.removable(next(iter(channels.producers))), key=lambda u: scores[u]))
    kept = np.ones(channels.count, bool)
    kept[unit] = False
    with silenced(channels, kept):
        change = abs(evaluate_model(model, split, TASK)["loss"] - whole)
    assert scores[unit] == pytest.approx(change, rel=0.1)
    assert scores[unit] > 0


def test_taylor_is_the_mean_over_samples_of_all_batches() -> None:
    model = make("chain")
    channels = find_channels(model, lambda layer: False)
    x, y = samples_for(model, 70), np.arange(70) % 3
    together = score_by_taylor(channels, Split(x, y), TASK)
    single = [
        score_by_taylor(channels, Split(x[rows], y[rows]), TASK)
        for rows in (slice(0, 35), slice(35, 70))
    ]
    np.testing.assert_allclose(together, np.mean(single, axis=0), rtol=1e-4, atol=1e-9)
