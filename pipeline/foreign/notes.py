"""What a user should know of how a model from outside was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.foreign.keras_2_operations import OPERATION_LAYERS


def notes_on(config: Any, keras_version: int) -> tuple[str, ...]:
    """Lists what changed between the file and the model.

    Args:
        config: the model's, as the file has it; checked.
        keras_version: 2 or 3.

    Returns:
        One line each.
    """
    layers = list(_layers(config))
    notes = []
    stateful = [name for name, _, settings in layers if settings.get("stateful")]
    if stateful:
        notes.append(
            f"stateful: {_listed(stateful)} kept state from batch to batch; here each sample "
            "begins with a zero state"
        )
    if keras_version == 2:
        renamed = [name for name, _, _ in layers if "/" in name]
        if renamed:
            notes.append(f"renamed: {_listed(renamed)}; Keras 3 allows no '/' in names")
        synchronized = [name for name, kind, _ in layers if kind == "SyncBatchNormalization"]
        if synchronized:
            notes.append(f"{_listed(synchronized)}: read as plain BatchNormalization")
        functions = [name for name, kind, _ in layers if kind in OPERATION_LAYERS]
        if functions:
            notes.append(
                f"{len(functions)} TensorFlow functions ({_listed(functions)}) are operations of "
                "Keras 3 now"
            )
    return tuple(notes)


def _layers(node: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yields name, class and settings of all layers, also of those inside others."""
    if isinstance(node, list):
        for one in node:
            yield from _layers(one)
    elif isinstance(node, dict):
        config = node.get("config")
        if isinstance(config, dict) and isinstance(config.get("name"), str):
            yield config["name"], str(node.get("class_name")), config
        for key, value in (config if isinstance(config, dict) else {}).items():
            if key in ("layers", "layer", "backward_layer", "cell"):
                yield from _layers(value)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
