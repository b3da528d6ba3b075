"""Weights of a base from a local file, as plain arrays: Keras's two HDF5 forms, and `.npz`.

The file is not trusted: only arrays of numbers are taken from it, of the shapes that the model
has. No layer is built from it, nothing is unpickled, and no other file is opened on its behalf.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ConfigError, UntrustedModelError
from pipeline.models.names import is_automatic
from pipeline.models.stored_array import StoredArray, StoredLayers
from pipeline.models.weights_hdf5 import hdf5_layers
from pipeline.models.weights_npz import npz_layers

if TYPE_CHECKING:
    import keras

SHOWN = 3


def load_weights(base: keras.Model, path: Path) -> None:
    """Sets every weight of a model from a file; layers of the file that it lacks are left out.

    Layers are matched by name. Files of the older form whose names are not the model's (Keras
    numbered them, or allowed a "/" in them) are matched by position, as Keras itself does.

    Args:
        base: the model; nothing of it is changed unless all fits.
        path: .weights.h5, .h5, .npz, or a .keras file, of which only the weights are read.

    Raises:
        ConfigError: layers are missing or have other shapes; the first ones are named.
        UntrustedModelError: the file is not what its name says.
    """
    layers = [layer for layer in base.layers if layer.weights]
    opened = npz_layers if path.suffix == ".npz" else hdf5_layers
    with opened(path, base.layers) as stored:
        matched = _match(layers, stored, path)
        faults = [fault for layer in layers for fault in _faults(layer, matched[layer.name])]
        if faults:
            raise ConfigError(
                f"model.weights {path}: {_first(faults)}; the file is of another network, or of "
                "other arguments (alpha, number of channels)"
            )
        values = {layer.name: [_read(a, layer, path) for a in matched[layer.name]]
                  for layer in layers}  # fmt: skip
    for layer in layers:
        for weight, value in zip(layer.weights, values[layer.name], strict=True):
            weight.assign(value.astype(weight.dtype))


def _match(
    layers: list[keras.layers.Layer], stored: StoredLayers, path: Path
) -> dict[str, list[StoredArray]]:
    """Returns the arrays of each layer, by the layer's name."""
    by_name = {name.replace("/", "_"): arrays for name, arrays in stored.items()}
    missing = [layer.name for layer in layers if layer.name not in by_name]
    automatic = any(is_automatic(layer.name, type(layer).__name__) for layer in layers)
    if not missing and not automatic:
        return by_name
    in_order = list(stored.values())
    # What is left at the end of the file is a top, which is not used.
    if automatic and len(in_order) >= len(layers):
        return {layer.name: arrays for layer, arrays in zip(layers, in_order, strict=False)}
    if not missing:
        return by_name
    names = [f"layer '{name}' is not in the file" for name in missing]
    raise ConfigError(
        f"model.weights {path}: {_first(names)}; expected the {len(layers)} layers of the network "
        f"without its top, received {len(stored)}: {', '.join(list(stored)[:SHOWN]) or 'none'} …"
    )


def _faults(layer: keras.layers.Layer, arrays: list[StoredArray]) -> list[str]:
    if len(arrays) != len(layer.weights):
        return [
            f"layer '{layer.name}' has {len(arrays)} arrays in the file, expected "
            f"{len(layer.weights)}"
        ]
    return [
        f"layer '{layer.name}': {weight.name} has shape {array.shape} in the file, expected "
        f"{tuple(weight.shape)}"
        for weight, array in zip(layer.weights, arrays, strict=True)
        if array.shape != tuple(weight.shape)
    ]


def _read(array: StoredArray, layer: keras.layers.Layer, path: Path) -> np.ndarray:
    values = array.read()
    if values.shape != array.shape or not np.isfinite(values).all():
        raise UntrustedModelError(
            f"model.weights {path}: layer '{layer.name}' holds values that are not finite numbers; "
            "use another file"
        )
    return values


def _first(faults: list[str]) -> str:
    more = f" (and {len(faults) - SHOWN} more)" if len(faults) > SHOWN else ""
    return "; ".join(faults[:SHOWN]) + more
