"""Writes `run_model.py`, the small program that ships with the models."""

from __future__ import annotations

from pathlib import Path

from pipeline.artifacts.files import write_bytes_atomic
from pipeline.errors import ConfigError

# The program is a module of this package, so that it is linted, typed and tested as it ships.
_TEMPLATE = Path(__file__).with_name("run_model.py")
_DEFAULT_LINE = 'DEFAULT_MODEL = "int8.tflite"\n'


def write_runner(directory: Path, default_model: str) -> Path:
    """Writes `run_model.py`, which needs only ai-edge-litert and NumPy, beside the models.

    Args:
        directory: the bundle's folder.
        default_model: file name of the model it runs unless told otherwise, e.g. "int8.tflite".

    Returns:
        Path of the program.

    Raises:
        ConfigError: the name is not that of a `.tflite` file.
    """
    if not default_model.endswith(".tflite") or any(sign in default_model for sign in '/\\"\n'):
        raise ConfigError(f"default model {default_model!r}: expected a name like int8.tflite")
    text = _TEMPLATE.read_text()
    assert text.count(_DEFAULT_LINE) == 1
    program = text.replace(_DEFAULT_LINE, f'DEFAULT_MODEL = "{default_model}"\n')
    path = directory / "run_model.py"
    write_bytes_atomic(path, program.encode())
    return path
