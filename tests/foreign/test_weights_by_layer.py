"""Named arrays find their weights; the order of a file alone decides nothing."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign.layer_tree import LayerNode
from pipeline.foreign.weights_by_layer import match_layers

INNER = LayerNode("inner", "Functional", inner=(LayerNode("a", "Dense"), LayerNode("b", "Dense")))
NODES = (LayerNode("last", "Dense"), INNER)


def model() -> Any:
    inner_in = keras.Input((3,))
    inner = keras.layers.Dense(3, name="b")(keras.layers.Dense(3, name="a")(inner_in))
    inputs = keras.Input((3,))
    x = keras.Model(inner_in, inner, name="inner")(inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="last")(x))


def arrays(*names: str, last: tuple[str, ...] = ("kernel", "bias")) -> dict[str, Any]:
    """Arrays that hold their own number."""
    shapes = {"kernel": (3, 3), "bias": (3,)}
    inner = [
        (name, np.full(shapes[name.split("/")[-1].split(":")[0]], float(number)))
        for number, name in enumerate(names)
    ]
    outer = {"kernel": np.full((3, 2), 8.0), "bias": np.full((2,), 9.0)}
    return {"inner": inner, "last": [(f"last/{name}:0", outer[name]) for name in last]}


IN_ORDER = ("a/kernel:0", "a/bias:0", "b/kernel:0", "b/bias:0")


def matched(stored: dict[str, Any]) -> dict[str, float]:
    found = model()
    values = match_layers(found, NODES, stored, "m.h5")
    assert len(values) == len(found.weights)
    return {w.path: float(values[id(w)].flat[0]) for w in found.weights}


def test_in_the_order_of_keras() -> None:
    found = matched(arrays(*IN_ORDER))
    assert list(found.values()) == [0, 1, 2, 3, 8, 9]


def test_in_another_order_by_name() -> None:
    found = matched(
        arrays("b/kernel:0", "b/bias:0", "a/bias:0", "a/kernel:0", last=("bias", "kernel"))
    )
    assert [v for path, v in found.items() if "/a/" in f"/{path}"] == [3, 2]
    assert [v for path, v in found.items() if "/b/" in f"/{path}"] == [0, 1]
    assert [v for path, v in found.items() if "last" in path] == [8, 9]


def test_names_that_do_not_tell_the_layer() -> None:
    """A model that was renamed: its weights keep the names that they were made with."""
    found = matched(arrays("d1/kernel:0", "d1/bias:0", "d2/kernel:0", "d2/bias:0"))
    assert list(found.values()) == [0, 1, 2, 3, 8, 9]


def test_seeds_are_no_weights() -> None:
    stored = arrays(*IN_ORDER)
    stored["inner"].insert(0, ("random_flip/StateVar:0", np.zeros(3)))
    assert list(matched(stored).values()) == [0, 1, 2, 3, 8, 9]


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (arrays(*IN_ORDER[:3]), "m.h5: layer 'inner' has 3 arrays, expected 4; the weights are of"),
        ({**arrays(*IN_ORDER), "other": [("kernel", np.zeros(1))]}, "layer 'other' has 1 arr"),
        (arrays("a/bias:0", "a/bias:0", "b/kernel:0", "b/bias:0"),
         r"layer 'inner': 0 arrays could be its a kernel of shape \(3, 3\), received a/bias:0, a/"),
        ({**arrays(*IN_ORDER), "last": [("last/kernel:0", np.zeros((2, 3))),
                                        ("last/bias:0", np.zeros(2))]},
         r"layer 'last': 'last/kernel:0' has shape \(2, 3\), expected \(3, 2\)"),
    ],
)  # fmt: skip
def test_what_does_not_fit(stored: dict[str, Any], words: str) -> None:
    with pytest.raises(UntrustedModelError, match=words):
        match_layers(model(), NODES, stored, "m.h5")
