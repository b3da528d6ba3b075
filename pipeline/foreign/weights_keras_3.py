"""The weights of a `.keras` file: groups of numbered variables, one group a layer.

The layers of models are found by name, in the order in which the file lists them; what lies inside
a layer (cells, wrapped layers, attention's projections) is walked by Keras's own code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import UntrustedModelError
from pipeline.foreign.layer_tree import LayerNode
from pipeline.foreign.reading import FileContents
from pipeline.models.names import numbered, snake_case

if TYPE_CHECKING:
    import keras

# Keras 2.12 and 2.13 named the list of layers so.
_CONTAINERS = ("layers", "_layer_checkpoint_dependencies")


class _Group(Mapping[str, np.ndarray]):
    """The variables of one layer, as Keras's load_own_variables reads them; notes what it took."""

    def __init__(
        self, prefix: str, names: list[str], arrays: Mapping[str, np.ndarray], used: set[str]
    ) -> None:
        self._prefix, self._names, self._arrays, self._used = prefix, names, arrays, used

    def __getitem__(self, name: str) -> np.ndarray:
        value = self._arrays[self._prefix + name]
        self._used.add(self._prefix + name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def match_groups(
    model: keras.Model, nodes: tuple[LayerNode, ...], contents: FileContents
) -> dict[int, Any]:
    """Finds the values of a model's variables.

    Args:
        model: rebuilt; its variables need no values yet.
        nodes: the file's list of its layers; empty for a subclassed model.
        contents: the file.

    Returns:
        id of a variable → its value, of the variable's shape.

    Raises:
        UntrustedModelError: arrays of another shape or of another layer, or left over.
    """
    import keras

    used: set[str] = set()
    store = _make_store(contents.arrays, used)
    visited: set[int] = set()
    with keras.StatelessScope(initialize_variables=False) as scope:
        if nodes:
            container = next((c for c in _CONTAINERS if _has(contents, c)), _CONTAINERS[0])
            _load_layers(model, nodes, container, container, store, visited, contents)
        else:
            _load_one(model, "", store, visited, contents)
    _check_used(contents, used, nodes)
    return dict(scope.state_mapping)


def _has(contents: FileContents, container: str) -> bool:
    return any(name.startswith(f"{container}/") for name in contents.arrays)


def _load_layers(
    model: Any,
    nodes: tuple[LayerNode, ...],
    prefix: str,
    container: str,
    store: Any,
    visited: set[int],
    contents: FileContents,
) -> None:
    layers = {layer.name: layer for layer in model.layers}
    counted: dict[str, int] = {}
    for node in nodes:
        layer = layers.get(node.name)
        if layer is None:
            if node.class_name == "InputLayer":
                continue  # a Sequential does not list it
            raise UntrustedModelError(f"{contents.path}: layer '{node.name}' was not rebuilt")
        key = numbered(snake_case(node.class_name), counted)
        if id(layer) in visited:
            continue  # shared with a model in the model, where its weights are
        path = f"{prefix}/{key}"
        _check_name(path, node, contents)
        if node.inner is None:
            _load_one(layer, path, store, visited, contents)
        else:
            visited.add(id(layer))
            inner = f"{path}/{container}"
            _load_layers(layer, node.inner, inner, container, store, visited, contents)


def _load_one(layer: Any, path: str, store: Any, visited: set[int], contents: FileContents) -> None:
    # Not exported (keras 3.15.1), but what keras.saving.load_model itself uses.
    from keras.src.saving.saving_lib import _load_state

    try:
        _load_state(
            layer, weights_store=store, assets_store=None, inner_path=path,
            visited_saveables=visited,
        )  # fmt: skip
    except UntrustedModelError:
        raise
    except Exception as error:  # what a layer raises when its variables do not fit
        reason = " ".join(str(error).split())[:300]
        raise UntrustedModelError(
            f"{contents.path}: the weights at '{path}' do not fit layer '{layer.name}' ({reason}); "
            "the file is torn, save the model again"
        ) from error


def _check_name(path: str, node: LayerNode, contents: FileContents) -> None:
    stated = contents.layer_names.get(f"{path}/vars")
    if stated is not None and stated.replace("/", "_") != node.name:
        raise UntrustedModelError(
            f"{contents.path}: the weights at '{path}' are of layer '{stated[:200]}', expected "
            f"those of '{node.name}'; save the model again"
        )


def _check_used(contents: FileContents, used: set[str], nodes: tuple[LayerNode, ...]) -> None:
    left = [name for name in contents.arrays if name not in used and not _is_seed(name)]
    if left:
        raise UntrustedModelError(
            f"{contents.path}: the weights '{left[0][:200]}' (one of {len(left)}) belong to no "
            "layer of its config; save the model again"
        )


def _is_seed(name: str) -> bool:
    """True for the state of a random generator, which Keras 2 keeps as a layer's weight."""
    return any(part.startswith("random_") for part in name.split("/"))


def _make_store(arrays: Mapping[str, np.ndarray], used: set[str]) -> Any:
    from keras.src.saving.saving_lib import H5IOStore

    names: dict[str, list[str]] = {}
    for full_name in arrays:
        prefix, slash, name = full_name.rpartition("/")
        names.setdefault(prefix + slash, []).append(name)

    class ArrayStore(H5IOStore):
        """Serves arrays that were read before; _load_state insists on the class (keras 3.15.1)."""

        def __init__(self) -> None:  # no file is opened
            pass

        def __bool__(self) -> bool:
            return True

        def get(self, path: str) -> _Group:
            parent, _, last = path.rpartition("/")
            # tf_keras saves attention's projections under private names: _query_dense.
            prefixes = (f"{path}/vars/" if path else "vars/", f"{parent}/_{last}/vars/")
            prefix = next((one for one in prefixes if one in names), prefixes[0])
            return _Group(prefix, names.get(prefix, []), arrays, used)

        def has_path(self, path: str) -> bool:
            return any(name.startswith(f"{path}/") for name in names)

    return ArrayStore()
