"""YAML as plain data: 1.2's types, and nothing that surprises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.yaml_file import parse_yaml
from pipeline.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1.5", 1.5),
        ("-3", -3),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("", None),
        ("~", None),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("10%", "10%"),
        ("12:30", "12:30"),
        ("'1'", "1"),
        ("{a: [1, 2.5, x]}", {"a": [1, 2.5, "x"]}),
    ],
)
def test_plain_types_are_those_of_yaml_1_2(text: str, value: object) -> None:
    parsed = parse_yaml(text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2", "line 2, column 1: key 'a' stands twice"),
        ("a: .nan", "line 1, column 4: .nan is no number"),
        ("a: -.inf", "line 1, column 4: -.inf is no number"),
        ("a: 1e999", "line 1, column 4: 1e999 is no number"),
        ("a: !!python/object/apply:os.system [x]", "YAML tag .* is not accepted"),
        ("a: !!str 1", "YAML tag .* is not accepted"),
        ("a: &x 1\nb: *x", "line 2, column 4: YAML aliases are not accepted"),
        ("a: b: c", "no valid YAML"),
        ("{[1]: 2}", "expected a plain key"),
        ("a: [1", "no valid YAML"),
        ("--- 1\n--- 2", "no valid YAML"),
        ("[" * 5000, "nested too deeply"),
        ("x" * 1_000_001, "expected at most 1,000,000 characters"),
    ],
    ids=lambda text: text[:20],
)
def test_the_rest_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_yaml(text)


@given(st.text(max_size=80))
def test_any_text_is_data_or_a_config_error(text: str) -> None:
    try:
        value = parse_yaml(text)
    except ConfigError:
        return
    assert value is None or isinstance(value, str | int | float | bool | list | dict)
