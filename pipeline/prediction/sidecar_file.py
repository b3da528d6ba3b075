"""Reads the JSON beside a `.tflite` file, and makes sure that it is this file's."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import sha256_file
from pipeline.errors import ArtifactError
from pipeline.tflite.interpreter import Interpreter
from pipeline.tflite.sidecar import FORMAT, OUTPUT_KINDS

# What a prediction reads of it; the types that JSON gives.
KEYS: dict[str, tuple[type, ...]] = {
    "sha256": (str,),
    "task": (str,),
    "labels": (list,),
    "output_kind": (str,),
    "targets": (dict, type(None)),
    "inputs": (list,),
    "outputs": (list,),
    "encoding": (dict, type(None)),
    "preprocessing": (dict, type(None)),
}


def read_sidecar(model: Path) -> dict[str, Any]:
    """Reads and checks the sidecar of a model file.

    Args:
        model: the `.tflite` file; the sidecar has its name with `.json`.

    Raises:
        ArtifactError: either is missing, unreadable, of another format or of another file.
    """
    if not model.is_file():
        raise ArtifactError(f"{model}: no such file; give a .tflite file of an export folder")
    path = model.with_suffix(".json")
    try:
        sidecar = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(
            f"{path}: no such sidecar; copy it from the export folder, beside {model.name}"
        ) from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path}: unreadable ({error}); export the model again") from error
    if not isinstance(sidecar, dict) or sidecar.get("format") != FORMAT:
        found = sidecar.get("format") if isinstance(sidecar, dict) else type(sidecar).__name__
        raise ArtifactError(f"{path}: format {found}, expected {FORMAT}; export the model again")
    for key, types in KEYS.items():
        if key not in sidecar or not isinstance(sidecar[key], types):
            raise ArtifactError(f"{path}: no proper '{key}'; export the model again")
    if sidecar["output_kind"] not in chain(*OUTPUT_KINDS.values()):
        raise ArtifactError(f"{path}: unknown output_kind '{sidecar['output_kind']}'")
    digest = sha256_file(model)
    if digest != sidecar["sha256"]:
        raise ArtifactError(
            f"{model}: SHA-256 {digest[:12]}…, expected {sidecar['sha256'][:12]}… as its sidecar "
            "says: not the file that was exported; export it again"
        )
    return sidecar


def check_tensors(model: Path, sidecar: dict[str, Any], interpreter: Interpreter) -> None:
    """Refuses a sidecar that describes other inputs or outputs than the file has.

    Raises:
        ArtifactError: they differ.
    """
    real = {
        "inputs": [description.to_json() for description in interpreter.inputs],
        "outputs": [description.to_json() for description in interpreter.outputs],
    }
    for key, descriptions in real.items():
        if sidecar[key] != descriptions:
            raise ArtifactError(
                f"{model}: its {key} are not those of the sidecar; export the model again"
            )
