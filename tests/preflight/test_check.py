"""The whole check on models in memory."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pipeline.config.prune import LayerPruning, PruneConfig
from pipeline.preflight import check
from pipeline.preflight.check import check_model
from pipeline.preflight.verdicts import ASPECTS
from pipeline.tflite.worker import ConversionWorker
from tests.bridge.bridge_models import nested, residual


def test_a_row_per_layer_with_every_aspect(converter: ConversionWorker) -> None:
    model = residual()
    before = [weight.copy() for weight in model.get_weights()]
    samples = [np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype(np.float32)]
    config = PruneConfig(layers={"shortcut": LayerPruning(skip=True)})
    found = check_model(model, prune=config, samples=samples, worker=converter, notes=("read",))
    rows = {row.name: row for row in found.rows}
    assert set(rows) == {layer.name for layer in model.layers} - {"image"}
    assert found.parameters == model.count_params()
    # stem 64·4·9·1, main 64·6·9·4, shortcut 64·6·4, logits 6·3
    assert found.macs == 2304 + 13824 + 1536 + 18
    assert set(rows["main"].verdicts) == set(ASPECTS)
    assert {verdict.answer for verdict in rows["main"].verdicts.values()} == {"yes"}
    assert rows["shortcut"].verdicts["pruned"].reason == "skip: true in prune.layers"
    assert (found.obstacles, found.notes) == ((), ("read",))
    assert found.inputs[0].shape == (None, 8, 8, 1)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    json.dumps(found.to_json(), allow_nan=False)


def test_all_obstacles_at_once(awkward_model: Any, converter: ConversionWorker) -> None:
    found = check_model(awkward_model, worker=converter)
    told = {(remark.aspect, len(remark.layers)) for remark in found.obstacles}
    assert told == {("bridged", 2), ("exported", 1), ("exported", 2)}
    assert all(remark.reason and remark.fix for remark in found.obstacles)


def test_nested_and_shared_layers_are_one_row_each(converter: ConversionWorker) -> None:
    found = check_model(nested(), worker=converter)
    inner = next(row for row in found.rows if row.name == "block/inner")
    assert (inner.calls, inner.parameters, inner.macs) == (2, 30, 2 * 25)
    assert "called 2 times" in inner.verdicts["qat"].reason


def test_a_large_model_is_not_given_to_the_converter(monkeypatch: Any) -> None:
    monkeypatch.setattr(check, "too_large", lambda *sizes: "31 M parameters")
    found = check_model(residual())
    assert {row.verdicts["exported"].answer for row in found.rows} == {"not_tried"}
    assert found.plan[-1] == "export: not tried: 31 M parameters"
