"""Less Dropout while a model is fine-tuned: what was pruned or clustered overfits less.

Han et al., "Learning both Weights and Connections for Efficient Neural Networks", NeurIPS 2015,
section 3.2: a smaller network needs a smaller dropout rate in retraining.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Class of layer, in both Kerases → its attributes that are rates in [0, 1).
_OF_CELLS = ("dropout", "recurrent_dropout")
RATES = {
    **dict.fromkeys(("Dropout", "AlphaDropout", "GaussianDropout"), ("rate",)),
    **{f"SpatialDropout{n}D": ("rate",) for n in (1, 2, 3)},
    **dict.fromkeys(("LSTMCell", "GRUCell", "SimpleRNNCell", "ConvLSTMCell"), _OF_CELLS),
}  # fmt: skip


@contextmanager
def dropping_less(model: Any, factor: float) -> Iterator[None]:
    """Multiplies each dropout rate of a model for as long as the block lasts.

    Graphs traced inside keep those rates; the model itself has its own again afterwards.

    Args:
        model: of Keras 3 or tf_keras. Wrapped layers, cells of recurrent ones and Keras 3 layers
            that run as themselves behind the bridge are reached too.
        factor: in [0, 1]; 0 drops nothing.
    """
    before = [(layer, name, getattr(layer, name)) for layer, name in _rates(model)]
    try:
        for layer, name, rate in before:
            setattr(layer, name, rate * factor)
        yield
    finally:
        for layer, name, rate in before:
            setattr(layer, name, rate)


def _rates(model: Any) -> Iterator[tuple[Any, str]]:
    """Yields each layer that drops, once, and the attribute that holds its rate."""
    seen = set()
    for layer in model._flatten_layers():
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        for name in RATES.get(type(layer).__name__, ()):
            yield layer, name
        inside = getattr(getattr(layer, "spec", None), "layer", None)
        if inside is not None:  # a BridgeLayer's Keras 3 layer; an operation has none
            yield from _rates(inside)
