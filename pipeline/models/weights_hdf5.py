"""The two HDF5 forms of Keras's weights, walked without following any link out of the file.

Keras 3 (`save_weights("x.weights.h5")`, and inside every .keras file):
/layers/<class>[_<n>]/vars/<i>, numbered per class.
Keras 1 and 2 (keras.applications): the attribute layer_names, then per layer weight_names.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UntrustedModelError
from pipeline.models.hdf5_members import DAMAGED, array_fault, is_hard_link, read_names
from pipeline.models.names import numbered, snake_case
from pipeline.models.stored_array import StoredArray, StoredLayers

if TYPE_CHECKING:
    import h5py


@contextmanager
def hdf5_layers(path: Path, layers: Sequence[Any]) -> Iterator[StoredLayers]:
    """Opens a weights file and lists what it holds for a model.

    Args:
        path: the file.
        layers: the model's layers, in its order.

    Yields:
        The arrays by layer. In the Keras 3 form under the names of `layers`, only those that
        the file has; in the older form under the file's own names. Readable while it is open.

    Raises:
        UntrustedModelError: no whole HDF5 file, links out of it, or arrays that are no numbers.
    """
    import h5py

    try:
        file = h5py.File(_inside_keras(path) if path.suffix == ".keras" else path, "r")
    except OSError as error:
        raise UntrustedModelError(
            f"model.weights {path}: not a whole HDF5 file ({error}); save the weights again"
        ) from error
    with file:
        with _damage_told(path):
            listed = _list_layers(file, path, layers)
        yield listed


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """Turns what h5py raises inside a damaged file into one line."""
    try:
        yield
    except DAMAGED as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UntrustedModelError(
            f"model.weights {path}: not a whole HDF5 file ({reason}); save the weights again"
        ) from error


def _inside_keras(path: Path) -> io.BytesIO:
    """Returns the weights file inside a .keras file; the rest of it is not looked at."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo("model.weights.h5")
            # Stored as it is, as Keras does: a compressed one could unpack to any size.
            if member.compress_type != zipfile.ZIP_STORED:
                raise UntrustedModelError(
                    f"model.weights {path}: its weights are compressed, which Keras does not do; "
                    "save the model again"
                )
            return io.BytesIO(archive.read(member))
    except (zipfile.BadZipFile, KeyError, RuntimeError) as error:
        raise UntrustedModelError(
            f"model.weights {path}: not a whole .keras file ({error}); save the model again"
        ) from error


def _list_layers(file: h5py.File, path: Path, layers: Sequence[Any]) -> StoredLayers:
    root = _group(file, "model_weights", path) if "model_weights" in file else file
    if read_names(root, "layer_names"):
        return _older_form(root, path)
    if "layers" in file:
        return _keras_3_form(_group(file, "layers", path), path, layers)
    raise UntrustedModelError(
        f"model.weights {path}: received the groups {', '.join(sorted(file)[:5]) or '(none)'}, "
        "expected weights as Keras saves them; save them with model.save_weights('x.weights.h5')"
    )


def _older_form(root: h5py.Group, path: Path) -> StoredLayers:
    found: StoredLayers = {}
    for layer in read_names(root, "layer_names"):
        group = _group(root, layer, path)
        arrays = [_array(group, weight, path) for weight in read_names(group, "weight_names")]
        if arrays:
            found[layer] = arrays
    return found


def _keras_3_form(group: h5py.Group, path: Path, layers: Sequence[Any]) -> StoredLayers:
    found: StoredLayers = {}
    for layer, key in zip(layers, class_numbers(layers), strict=True):
        if key in group:
            arrays = _layer_arrays(_group(group, key, path), path, layer)
            if arrays:
                found[layer.name] = arrays
    return found


def _layer_arrays(group: h5py.Group, path: Path, layer: Any) -> list[StoredArray]:
    """Lists a layer's own variables; of a nested model those of its layers, one by one."""
    inner = getattr(layer, "layers", None)
    if inner is not None:
        nested = _keras_3_form(_group(group, "layers", path), path, inner)
        return [array for one in inner for array in nested.get(one.name, [])]
    if "vars" not in group:
        return []
    variables = _group(group, "vars", path)
    return [_array(variables, str(number), path) for number in range(len(variables))]


def class_numbers(layers: Sequence[Any]) -> list[str]:
    """Returns the names under which Keras 3 saves layers: conv2d, conv2d_1, … by class."""
    seen: dict[str, int] = {}
    return [numbered(snake_case(type(layer).__name__), seen) for layer in layers]


def _group(parent: h5py.Group, name: str, path: Path) -> h5py.Group:
    import h5py

    found = _member(parent, name, path)
    if not isinstance(found, h5py.Group):
        raise UntrustedModelError(f"model.weights {path}: '{name}' is no group; save them again")
    return found


def _array(parent: h5py.Group, name: str, path: Path) -> StoredArray:
    found = _member(parent, name, path)
    fault = array_fault(found)
    if fault is not None:
        raise UntrustedModelError(f"model.weights {path}: '{name}' {fault}; save the weights again")

    def read() -> np.ndarray:
        with _damage_told(path):
            return np.asarray(found[()])

    return StoredArray(tuple(found.shape), found.dtype, read)


def _member(parent: h5py.Group, name: str, path: Path) -> Any:
    """Goes down a path of hard links; soft and external ones could lead to another file."""
    import h5py

    here: Any = parent
    for part in filter(None, name.split("/")):
        if not isinstance(here, h5py.Group) or part not in here:
            raise UntrustedModelError(
                f"model.weights {path}: '{name}' is missing; the file is torn, save it again"
            )
        if not is_hard_link(here, part):
            raise UntrustedModelError(
                f"model.weights {path}: '{name}' is a link, so it is not read; save the weights "
                "again"
            )
        here = here[part]
    return here
