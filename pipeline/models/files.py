"""Our own `.keras` files. Models from outside are programs and do not come in this way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.artifacts.files import storage_errors, sync
from pipeline.errors import ArtifactError

if TYPE_CHECKING:
    import keras


def save_model(model: keras.Model, path: Path) -> None:
    """Writes structure and weights, without optimizer, as a plain Keras 3 file, atomically.

    Args:
        model: a functional or sequential model.
        path: target, ending in .keras.

    Raises:
        StorageError: disk or permissions.
    """
    plain = _without_training(model)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.keras")  # Keras wants the suffix
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            plain.save(temporary)
            sync(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync(path.parent)


def load_model(path: Path) -> keras.Model:
    """Reads a file that save_model wrote; nothing in it can run code.

    Args:
        path: the file.

    Returns:
        The model, not compiled.

    Raises:
        ArtifactError: missing, torn, or not a Keras 3 file.
    """
    import keras

    if not path.is_file():
        raise ArtifactError(f"{path}: there is no such model; run the stage that makes it")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the torn part of the file provokes
        reason = " ".join(str(error).split())[:200]
        raise ArtifactError(
            f"{path}: not a whole .keras file ({type(error).__name__}: {reason}); run the stage "
            f"that makes it again"
        ) from error


def _without_training(model: keras.Model) -> keras.Model:
    """Returns the model, or for a compiled one a copy that has no optimizer to be saved."""
    if not model.compiled:
        return model
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy
