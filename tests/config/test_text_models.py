"""Architectures that read token ids meet data that has some, when the run is planned."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.load import validate
from pipeline.errors import ConfigError

TEXT = {"source": "text", "path": "a.txt", "task": "binary"}
LSTM = {"architecture": "text_lstm"}


def test_texts_and_the_networks_that_read_them() -> None:
    for architecture in ("text_cnn", "text_lstm"):
        config = validate({"data": TEXT, "model": {"architecture": architecture}})
        assert config.model.architecture == architecture
    tokens = {"source": "npz", "path": "a.npz", "preprocessing": {"kind": "tokens"}}
    validate({"data": tokens, "model": LSTM})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": LSTM}, "text_lstm reads token ids, data.source digits gives none"),
        ({"data": TEXT}, "mlp cannot read the token ids of data.source text; use text_cnn or"),
        ({"data": TEXT, "model": {**LSTM, "normalization": "batch"}}, "normalization"),
        (
            {"data": TEXT, "model": LSTM, "quantize": {"schemes": ["int8", "int16x8"]}},
            "int16x8 does not work for text_lstm; use int8",
        ),
        (
            {"data": TEXT, "model": LSTM, "quantize": {"schemes": ["int8", "int4"]}},
            "int4 does not work for text_lstm; use dynamic_range",
        ),
    ],
)
def test_refusals(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        validate(values)


def test_what_is_not_quantized_is_not_refused() -> None:
    schemes = {"schemes": ["int16x8"]}
    validate({"data": TEXT, "model": LSTM, "quantize": schemes, "stages": ["train"]})
