"""What a crossed model answers, and its figures."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.predict import evaluate, predict
from pipeline.data.prepared import PreparedData
from tests.bridge.bridge_models import linear_model


def test_evaluate_by_hand(tiny_data: PreparedData) -> None:
    crossed = to_tf_keras(linear_model())
    logits = predict(crossed, tiny_data.validation.x)
    assert logits.shape == (30, 3) and logits.dtype == np.float32
    y = tiny_data.validation.y
    picked = [np.log(np.exp(row).sum()) - row[label] for row, label in zip(logits, y, strict=True)]
    figures = evaluate(crossed, tiny_data.validation, tiny_data.task)
    assert figures["loss"] == pytest.approx(np.mean(picked), rel=1e-5)
    assert figures["accuracy"] == np.mean(logits.argmax(1) == y)
    assert figures["samples"] == 30
