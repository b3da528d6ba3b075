"""Models from outside, as Keras 3 models: read from a file, or taken from memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UntrustedModelError
from pipeline.foreign.compile_facts import CompileFacts, compile_facts
from pipeline.foreign.custom import CustomObjects, load_custom_objects
from pipeline.foreign.foreign_model import ForeignModel
from pipeline.foreign.gate import check_config
from pipeline.foreign.keras_2 import translate_config
from pipeline.foreign.layer_tree import layer_tree
from pipeline.foreign.live import from_live
from pipeline.foreign.notes import notes_on
from pipeline.foreign.reading import FileContents, read_outside
from pipeline.foreign.rebuild import rebuild
from pipeline.foreign.weights_by_layer import match_layers
from pipeline.foreign.weights_keras_3 import match_groups

if TYPE_CHECKING:
    import keras

__all__ = ["CompileFacts", "ForeignModel", "from_live", "load_foreign"]

# Keras 2 lives on as tf_keras since this version.
_FIRST_TF_KERAS = (2, 16)
_GROUP = "model_weights"


def load_foreign(path: Path, custom_objects: str | None = None) -> ForeignModel:
    """Reads a model file from outside without running anything that lies in it.

    Args:
        path: a `.keras` file of Keras 3 or tf_keras, or a whole-model `.h5` of Keras 2 or 3.
        custom_objects: "package.module" with the user's own layers and functions; its code runs.

    Returns:
        The model.

    Raises:
        ArtifactError: there is no such file.
        UntrustedModelError: it would run code, is torn, or is not what it says.
        ConfigError: the module of custom objects cannot be imported.
    """
    custom = load_custom_objects(custom_objects)
    try:
        return rebuild_contents(read_outside(path), custom)
    except UntrustedModelError as error:
        raise UntrustedModelError(_printable(str(error))) from error


def _printable(message: str) -> str:
    """Replaces what a name in the file could do to a terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in message)


def rebuild_contents(contents: FileContents, custom: CustomObjects) -> ForeignModel:
    """Rebuilds what was read of a file.

    Args:
        contents: of the file, not checked for what it means.
        custom: classes and functions that the user allows.

    Raises:
        UntrustedModelError: as in load_foreign.
    """
    where = str(contents.path)
    version = _version(contents, where)
    raw = contents.config
    config = translate_config(raw, custom, where) if version[0] == 2 else raw
    checked = check_config(config, custom, where)
    nodes = layer_tree(raw)

    def match(model: keras.Model) -> dict[int, Any]:
        if contents.format == "keras":
            return match_groups(model, nodes, contents)
        return match_layers(model, nodes, _arrays_by_layer(contents), where)

    model = rebuild(checked, custom.for_keras(), match, where)
    compiled = raw.get("compile_config") if contents.format == "keras" else contents.training_config
    return ForeignModel(
        model=model,
        origin=_origin(contents, version),
        compiled=compile_facts(compiled),
        notes=notes_on(raw, version[0]),
    )


def _arrays_by_layer(contents: FileContents) -> dict[str, list[tuple[str, Any]]]:
    left = {name for name in contents.arrays if name.startswith(f"{_GROUP}/")}
    found: dict[str, list[tuple[str, Any]]] = {}
    for layer, names in contents.weight_names.items():
        found[layer] = []
        for name in names:
            full_name = f"{_GROUP}/{layer}/{name}"
            if full_name not in left:
                raise UntrustedModelError(
                    f"{contents.path}: '{full_name[:200]}' is missing or listed twice; the file is "
                    "torn, save the model again"
                )
            left.remove(full_name)
            found[layer].append((name, contents.arrays[full_name]))
    if left:
        raise UntrustedModelError(
            f"{contents.path}: the array '{min(left)[:200]}' belongs to no layer; save the model "
            "again"
        )
    return found


def _version(contents: FileContents, where: str) -> tuple[int, int]:
    """Returns major and minor version of the Keras that wrote the file."""
    # tf.keras before 2.4 wrote "2.2.4-tf".
    parts = re.fullmatch(r"(\d+)\.(\d+)[\w.+-]{0,40}", contents.keras_version)
    version = (int(parts[1]), int(parts[2])) if parts else (0, 0)
    if version[0] not in (2, 3):
        raise UntrustedModelError(
            f"{where}: written by Keras {contents.keras_version[:40]!r}, expected version 2 or 3"
        )
    return version


def _origin(contents: FileContents, version: tuple[int, int]) -> str:
    library = "tf_keras" if (2, 99) > version >= _FIRST_TF_KERAS else "Keras"
    return f"{library} {contents.keras_version} .{contents.format}"
