"""Writes `run_model.py`, the small program that ships with the models."""

from __future__ import annotations

import ast
from pathlib import Path

from pipeline.artifacts.files import write_bytes_atomic
from pipeline.data import raw_input, rows
from pipeline.errors import ConfigError

# The program is a module of this package, so that it is linted, typed and tested as it ships.
_TEMPLATE = Path(__file__).with_name("run_model.py")
_DEFAULT_LINE = 'DEFAULT_MODEL = "int8.tflite"\n'
# What it imports from this package is put in the place of the import: one file ships, and it
# encodes with the very code that encoded the training data.
_IMPORT_LINE = "from pipeline.data.raw_input import encode, read_raw\n"
_INLINED = (rows, raw_input)


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
    text = _TEMPLATE.read_text(encoding="utf-8")
    assert text.count(_DEFAULT_LINE) == text.count(_IMPORT_LINE) == 1
    program = text.replace(_DEFAULT_LINE, f'DEFAULT_MODEL = "{default_model}"\n')
    inlined = "".join(_body(Path(module.__file__ or "")) for module in _INLINED)
    program = program.replace(_IMPORT_LINE, inlined)
    path = directory / "run_model.py"
    write_bytes_atomic(path, program.encode())
    return path


def _body(path: Path) -> str:
    """Returns a module's source without its docstring and its imports from this package."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    dropped: set[int] = set()
    for number, node in enumerate(ast.parse(text).body):
        is_docstring = number == 0 and isinstance(node, ast.Expr)
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        if is_docstring or module == "__future__" or module.startswith("pipeline"):
            dropped.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    kept = "".join(line for place, line in enumerate(lines) if place not in dropped).strip()
    return f"# ---- {path.parent.name}/{path.name} ----\n\n{kept}\n\n"
