"""What is converted."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.bridge.qat_statistics import Statistics
from pipeline.quantization.material import Material
from pipeline.quantization.source import source_after_training, train_with_quantization


def test_after_training_the_model_is_taken_as_it_is_or_equalized(
    gather: Callable[..., Material],
) -> None:
    material = gather()
    x = material.data.validation.x[:3]
    plain, equalized = (source_after_training(material, one) for one in (False, True))
    np.testing.assert_allclose(plain.predict(x), material.model.predict(x, verbose=0), rtol=1e-5)
    assert plain.equalization is None and plain.metrics is None and plain.notes == ()
    assert equalized.equalization is not None


def test_layers_that_are_left_to_the_converter_are_named(
    gather: Callable[..., Material], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def train(*args: Any) -> Any:
        given.extend(args)
        return SimpleNamespace(
            save_for_conversion=None, predict=None, metrics=lambda: {"zeros": 3},
            left_to_converter=[{"layer": "norm", "reason": "no quantizer"}],
            statistics=Statistics(True, 3, None, 0.25),
        )  # fmt: skip

    monkeypatch.setattr("pipeline.bridge.qat.quantization_aware_train", train)
    material = gather()
    source = train_with_quantization(material, material.settings.fine_tuning)
    left, estimated = source.notes
    assert left == "norm left to the converter: no quantizer"
    assert estimated == (
        "the statistics of 3 BatchNormalization layers were estimated anew in 8 bits before the "
        "training: validation loss 0.25 in the place of not finite"
    )
    assert source.metrics == {"zeros": 3}
    assert given[0] is material.model and given[4] == material.work
