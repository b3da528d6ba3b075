"""The smaller model: the configuration with smaller numbers, and the weights that are left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.graph import walk
from pipeline.compression.channels import Sliced
from pipeline.errors import PromiseError
from pipeline.models.predict import predict_outputs

if TYPE_CHECKING:
    import keras

    from pipeline.data.samples import Samples
    from pipeline.narrowing.channel_graph import ChannelGraph

# Largest difference of the outputs, relative to their spread, that summing in another order may
# leave.
TOLERANCE = 1e-3


def rebuild(model: keras.Model, channels: ChannelGraph, kept: np.ndarray) -> keras.Model:
    """Makes the model without the units that are not kept.

    Args:
        model: that `channels` were found in; unchanged.
        channels: where each unit lies.
        kept: bool (units,).

    Returns:
        A model of the same class, with the same layers and names.
    """
    config = model.get_config()
    for entry in config["layers"]:
        # Shapes from before; layers are built when they are called.
        entry.pop("build_config", None)
        if entry["config"].get("name") in channels.counts:
            _set_count(entry["config"], *channels.counts[entry["config"]["name"]], kept)
    smaller = type(model).from_config(config)
    _copy_weights(channels, smaller, kept)
    return smaller


def _set_count(config: dict[str, Any], key: str, units: np.ndarray, kept: np.ndarray) -> None:
    count = int(np.count_nonzero(kept[units]))
    config[key] = [*config[key][:-1], count] if key == "target_shape" else count


def _copy_weights(channels: ChannelGraph, smaller: keras.Model, kept: np.ndarray) -> None:
    layers, targets = channels.graph.layers(), walk(smaller).layers()
    sliced: dict[int, Sliced] = {
        id(getattr(layers[weight.layer], weight.name)): weight.array for weight in channels.weights
    }
    for name, layer in layers.items():
        for source, target in zip(
            getattr(layer, "weights", ()), getattr(targets[name], "weights", ()), strict=True
        ):
            array = sliced.get(id(source), Sliced(tuple(source.shape)))
            target.assign(array.take(source.numpy(), kept))


@contextmanager
def silenced(channels: ChannelGraph, kept: np.ndarray) -> Iterator[None]:
    """Lets the model answer as if the other units were gone: nobody reads them.

    Args:
        channels: of the model, whose kernels are put back in the end.
        kept: bool (units,).
    """
    layers = channels.graph.layers()
    before = []
    try:
        for weight in channels.weights:
            if weight.reads is None:
                continue
            gone = ~kept[weight.array.axes[weight.reads]]
            if gone.any():
                variable = getattr(layers[weight.layer], weight.name)
                before.append((variable, variable.numpy()))
                values = variable.numpy()
                np.moveaxis(values, weight.reads, 0)[gone] = 0
                variable.assign(values)
        yield
    finally:
        for variable, values in before:
            variable.assign(values)


def prove_rebuilt(
    model: keras.Model,
    smaller: keras.Model,
    channels: ChannelGraph,
    kept: np.ndarray,
    x: Samples,
) -> float:
    """Compares the smaller model with the one whose removed channels nobody reads.

    Args:
        model: unchanged.
        smaller: from `rebuild`.
        channels: of the model.
        kept: bool (units,).
        x: (n, *input_shape), n ≥ 2.

    Returns:
        The largest difference of an output, relative to the spread of the outputs.

    Raises:
        PromiseError: they differ by more than rounding.
    """
    with silenced(channels, kept):
        expected = predict_outputs(model, x)
    found = predict_outputs(smaller, x)
    spread = max(float(np.std(expected)), float(np.finfo(np.float32).tiny))
    difference = float(np.max(np.abs(found - expected))) / spread
    if not difference <= TOLERANCE:
        raise PromiseError(
            f"narrow: the smaller model differs by {difference:.2g} of the outputs' spread from "
            f"the one whose removed channels are zero, expected at most {TOLERANCE:g}; report "
            "this model"
        )
    return difference
