"""JSON from outside is bounded before it is used."""

from __future__ import annotations

import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign import bounded_json
from pipeline.foreign.bounded_json import parse_json


def test_json_within_its_bounds() -> None:
    assert parse_json('{"a": [1, null, "x"]}', "f") == {"a": [1, None, "x"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"f: its config is no JSON \(Expecting property name"),
        ("[" * 150 + "]" * 150, "f: its config is nested deeper than 100 levels"),
        ("[" * 100_000 + "]" * 100_000, r"f: its config is no JSON \(maximum recursion depth"),
        ("1" * 5000, r"f: its config is no JSON \(Exceeds the limit"),
    ],
)
def test_json_beyond_them(text: str, words: str) -> None:
    with pytest.raises(UntrustedModelError, match=words):
        parse_json(text, "f: its config")


def test_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_json, "MAX_CONFIG_BYTES", 10)
    with pytest.raises(UntrustedModelError, match="f has 12 characters, expected at most 10"):
        parse_json('"0123456789"', "f")
