"""The order of outputs; what it does to a file with three of them is in test_convert.py."""

from __future__ import annotations

from pathlib import Path

from pipeline.tflite.output_order import restore_output_order, write_output_order
from tests.tflite.conftest import Converted


def test_one_output_or_no_note_change_nothing(converted: Converted, tmp_path: Path) -> None:
    content = converted.paths["float32"].read_bytes()
    assert restore_output_order(content, tmp_path) == content
    write_output_order(tmp_path, ["logits"])
    assert restore_output_order(content, tmp_path) == content
