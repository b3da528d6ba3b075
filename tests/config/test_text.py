"""data.text."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.config.text import TextConfig


def test_defaults_suit_a_recurrent_layer() -> None:
    assert (TextConfig().padding, TextConfig().sequence_length) == ("before", None)


@pytest.mark.parametrize("values", [{"max_tokens": 2}, {"sequence_length": 0}, {"text": ""}])
def test_refusals(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(values))):
        TextConfig(**values)
