"""The equalized model as what is converted."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from pipeline.quantization.equalized import _note, equalize_layers
from pipeline.quantization.material import Material
from pipeline.runtime import import_tensorflow

import_tensorflow()


def test_only_what_is_saved_has_other_weights(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    model = keras.Sequential(
        [
            keras.Input((4,), name="x"),
            keras.layers.Dense(3, "relu", name="a"),
            keras.layers.Dense(3, "relu6", name="b"),
            keras.layers.Dense(2, name="c"),
        ]
    )
    kernel = np.asarray(model.layers[0].kernel) * np.array([1, 100, 0.01], np.float32)
    model.layers[0].kernel.assign(kernel)
    x = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    material = SimpleNamespace(
        model=model,
        data=SimpleNamespace(train=SimpleNamespace(x=x)),
        representative=np.arange(10),
    )
    source = equalize_layers(cast(Material, material))
    source.save(tmp_path / "saved", 1)
    np.testing.assert_array_equal(np.asarray(model.layers[0].kernel), kernel)
    saved: Any = tf.saved_model.load(str(tmp_path / "saved"))
    widest = max(float(np.abs(variable).max()) for variable in saved.captured)
    assert widest < 0.5 * np.abs(kernel).max()
    outputs = saved.serve(tf.constant(x[:1]))["c"].numpy()
    np.testing.assert_allclose(outputs, source.predict(x[:1]), rtol=1e-4, atol=1e-5)
    assert source.notes == (
        "equalized: a and b; left as they are: b: relu6 does not scale through",
    )
    assert source.metrics is None
    assert source.equalization is not None
    assert source.equalization["pairs"] == [["a", "b"]]
    assert source.equalization["largest_factor"] > 5
    assert source.equalization["output_difference"] < 1e-4


def test_a_long_list_is_cut() -> None:
    pairs = tuple((f"a{number}", f"b{number}") for number in range(8))
    skipped = {"z": "is an output of the model"}
    assert _note(pairs[:1], skipped) == "equalized: a0 and b0"
    assert _note(pairs, skipped).endswith("a3 and b3, a4 and b4, 3 more")
    assert _note((), {"y": "is read by several layers"}) == (
        "equalized: no two layers; left as they are: y: is read by several layers"
    )
