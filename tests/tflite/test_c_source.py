"""C++ source that a compiler turns back into the same bytes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.tflite.c_source import write_c_source

_MAIN = """
#include <cstdint>
#include <cstdio>
#include "digits.h"
#include "digits.h"  // the guard must allow it
int main() {
  if (reinterpret_cast<std::uintptr_t>(digits) % 16 != 0) return 3;
  return std::fwrite(digits, 1, digits_length, stdout) == sizeof(digits) ? 0 : 4;
}
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")
@pytest.mark.parametrize("length", [1, 12, 1000])
def test_the_compiled_array_has_the_same_bytes_and_alignment(length: int, tmp_path: Path) -> None:
    content = bytes(i * 7 % 256 for i in range(length))
    _, source = write_c_source(content, tmp_path, "digits")
    (tmp_path / "main.cc").write_text(_MAIN)
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-o", "show"]
    subprocess.run([*command, "main.cc", source.name], cwd=tmp_path, check=True)
    shown = subprocess.run([tmp_path / "show"], capture_output=True, check=True).stdout
    assert shown == content


def test_both_files_name_the_model(tmp_path: Path) -> None:
    header, source = write_c_source(b"abc", tmp_path, label="int8.tflite of run digits")
    for path in (header, source):
        text = path.read_text()
        assert hashlib.sha256(b"abc").hexdigest() in text
        assert "// int8.tflite of run digits, made by Slimline." in text
    assert (header.name, source.name) == ("model_data.h", "model_data.cc")
    assert "#ifndef SLIMLINE_MODEL_DATA_H_" in header.read_text()


@pytest.mark.parametrize("name", ["", "2x", "a-b", "a b", "x;", "_x"])
def test_names_that_are_no_identifier(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a C identifier"):
        write_c_source(b"abc", tmp_path, name)


@pytest.mark.parametrize("label", ["two\nlines", "trap\\"])
def test_labels_that_would_leave_the_comment(label: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected one line"):
        write_c_source(b"abc", tmp_path, label=label)
