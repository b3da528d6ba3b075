"""A digest of what a model computes: its structure and its weights, not the file they lie in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

# Keys that change between processes, or with the way a model was made, but not what it computes.
VOLATILE_KEYS = frozenset({"shared_object_id", "build_config", "compile_config", "keras_version"})


def model_digest(model: keras.Model) -> str:
    """Digests a model.

    `.keras` files of equal models differ (their zip holds dates), so keys and comparisons use
    this. The states of random generators (dropout) are no weights and are left out.

    Args:
        model: a built Keras 3 model.

    Returns:
        Hex SHA-256 over the normalized configuration and each weight's path, dtype, shape and
        bytes in the order of the paths.
    """
    digest = hashlib.sha256(normalized_config(model).encode())
    for path, weight in sorted(_weights(model), key=lambda entry: entry[0]):
        array = np.ascontiguousarray(weight.numpy())
        digest.update(f"\n{path} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _weights(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields (path, weight), named by layers and position.

    Keras's own `weight.path` tells how a layer was first called: the same nested or Sequential
    model has other paths after loading than before saving (keras 3.15.1).
    """
    for layer in model.layers:
        path = f"{prefix}{layer.name}/"
        if hasattr(layer, "layers"):
            yield from _weights(layer, path)
        else:
            for index, weight in enumerate(layer.weights):
                yield f"{path}{index}:{weight.name}", weight


def normalized_config(model: keras.Model) -> str:
    """Returns the model's configuration as canonical JSON without its volatile keys."""
    return json.dumps(
        _without_volatile(json.loads(model.to_json())), sort_keys=True, separators=(",", ":")
    )


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_volatile(v) for k, v in value.items() if k not in VOLATILE_KEYS}
    if isinstance(value, list):
        return [_without_volatile(entry) for entry in value]
    return value
