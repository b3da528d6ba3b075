"""Rows of models whose calls are code."""

from __future__ import annotations

import numpy as np

from pipeline.preflight.check import check_model
from pipeline.tflite.worker import ConversionWorker
from tests.preflight.subclassed import Own


def test_a_subclassed_model_still_converts(converter: ConversionWorker) -> None:
    model = Own()
    model(np.zeros((1, 3), np.float32))
    found = check_model(model, worker=converter)
    assert (found.name, found.class_name) == ("own", "Own")
    assert [(row.name, row.parameters) for row in found.rows] == [
        ("own/first", 16), ("own/second", 10),
    ]  # fmt: skip
    assert found.plan == (
        "prune: 2 layers with 100% of the parameters",
        "cluster: not possible",
        "qat: not possible; int8 comes from post-training quantization",
        "export: int8 throughout, built-in operators only",
    )
    reasons = {(r.aspect, r.reason) for r in found.obstacles}
    inside = "inside the subclassed model 'own', which has no graph"
    assert reasons == {("clustered", inside), ("qat", inside)}


def test_a_subclassed_model_that_was_never_called_is_listed() -> None:
    found = check_model(Own())
    assert [row.name for row in found.rows] == ["first", "second"]
    assert "subclassed and has no graph" in found.obstacles[0].reason
    assert found.plan[-1] == "export: not tried: it has no graph"
