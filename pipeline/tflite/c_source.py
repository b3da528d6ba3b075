"""Writes a `.tflite` file as C++ source, for firmware that has no file system."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from pipeline.artifacts.files import write_bytes_atomic
from pipeline.errors import ConfigError

_BYTES_PER_LINE = 12
_HEADER = """\
// {label}, made by Slimline. SHA-256 of the model:
// {sha256}
#ifndef {guard}
#define {guard}

#include <cstddef>

// A TensorFlow Lite flatbuffer; tflite-micro reads it in place.
extern const std::size_t {name}_length;
extern const unsigned char {name}[{length}];

#endif  // {guard}
"""
_SOURCE = """\
// {label}, made by Slimline. SHA-256 of the model:
// {sha256}
#include "{name}.h"

const std::size_t {name}_length = {length};

// Flatbuffers are read with aligned loads: 16 bytes suit every operator of tflite-micro.
alignas(16) const unsigned char {name}[{length}] = {{
{rows}
}};
"""


def write_c_source(
    model_bytes: bytes,
    directory: Path,
    array_name: str = "model_data",
    label: str = "A TensorFlow Lite model",
) -> tuple[Path, Path]:
    """Writes `<array_name>.h` and `<array_name>.cc` with the model as an aligned array.

    Args:
        model_bytes: content of a `.tflite` file, at least one byte.
        directory: where both files go; made if missing.
        array_name: C identifier of the array; `<array_name>_length` is its length in bytes.
        label: one line that says which model it is, for the comment on top.

    Returns:
        Paths of the header and the source.

    Raises:
        ConfigError: the name is no C identifier, or the label has several lines.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", array_name):
        raise ConfigError(f"array name {array_name!r}: expected a C identifier, e.g. model_data")
    # A backslash at the end of a // comment would swallow the next line.
    if not re.fullmatch(r"[^\n\r\\]*", label):
        raise ConfigError(f"label {label!r}: expected one line without a backslash")
    fields = {
        "label": label,
        "sha256": hashlib.sha256(model_bytes).hexdigest(),
        "guard": f"SLIMLINE_{array_name.upper()}_H_",
        "name": array_name,
        "length": len(model_bytes),
    }
    rows = ",\n".join(
        "    " + ", ".join(f"0x{byte:02x}" for byte in model_bytes[start : start + _BYTES_PER_LINE])
        for start in range(0, len(model_bytes), _BYTES_PER_LINE)
    )
    header, source = directory / f"{array_name}.h", directory / f"{array_name}.cc"
    write_bytes_atomic(header, _HEADER.format(**fields).encode())
    write_bytes_atomic(source, _SOURCE.format(**fields, rows=rows).encode())
    return header, source
