"""Descriptor 2 while a block runs."""

from __future__ import annotations

import os

import pytest

from pipeline.stderr import captured_stderr

CHATTER = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"


def test_chatter_is_dropped_and_the_rest_comes_late(capfd: pytest.CaptureFixture[str]) -> None:
    with captured_stderr() as lines:
        os.write(2, CHATTER + b"a warning\n")
        assert lines == []
    assert lines == ["a warning"]
    assert capfd.readouterr().err == "a warning\n"


def test_after_an_error_the_lines_are_left_to_the_caller(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ValueError, match="boom"), captured_stderr() as lines:
        os.write(2, b"the reason\n")
        raise ValueError("boom")
    assert lines == ["the reason"]
    os.write(2, b"screen\n")
    assert capfd.readouterr().err == "screen\n"
