"""Quiet and loud tensors joined in one scale: the file answers as the emulation does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge import qat, qat_plan
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.graph import walk
from pipeline.bridge.qat_joins import leave_joined_scales
from pipeline.bridge.qat_ranges import set_ranges
from pipeline.compression.statistics import compare
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.inspect import inspect
from pipeline.tflite.interpreter import load
from pipeline.tflite.saved_model import own_names, save_keras_model
from pipeline.tflite.worker import ConversionWorker

Body = Callable[[Any], Any]
LOUD = 20.0


def conv(x: Any, name: str = "quiet", **arguments: Any) -> Any:
    import keras

    return keras.layers.Conv2D(3, 3, padding="same", name=name, **arguments)(x)


def left(x: Any) -> Any:
    """Loud, and no layer that tfmot knows."""
    import keras

    return keras.layers.Rescaling(LOUD, name="rescaled")(conv(x, "before"))


def layer(name: str) -> Callable[..., Any]:
    import keras

    return lambda *tensors: getattr(keras.layers, name)()(list(tensors))


def stack(*tensors: Any) -> Any:
    import keras

    return keras.ops.stack(list(tensors), axis=-1)


def where(x: Any, one: Any, other: Any) -> Any:
    import keras

    return keras.ops.where(x[..., :1] > 0, one, other)


def pooled(x: Any) -> Any:
    import keras

    return keras.layers.MaxPooling2D(3, 1, "same")(x)


def averaged(x: Any) -> Any:
    import keras

    return keras.layers.AveragePooling2D(3, 1, "same")(x)


BODIES: dict[str, Body] = {
    "Maximum": lambda x: layer("Maximum")(conv(x), conv(x, "loud")),
    "Maximum with one left": lambda x: layer("Maximum")(left(x), conv(x)),
    "Minimum": lambda x: layer("Minimum")(conv(x), conv(x, "loud")),
    "Concatenate with one left": lambda x: layer("Concatenate")(conv(x), left(x)),
    "Concatenate behind pooling": lambda x: layer("Concatenate")(pooled(conv(x)), left(x)),
    "Concatenate with averages": lambda x: layer("Concatenate")(conv(x), averaged(conv(x, "loud"))),
    "Concatenate twice": lambda x: layer("Concatenate")(
        layer("Maximum")(conv(x), conv(x, "quiet_too")), left(x)
    ),
    "stack": lambda x: stack(conv(x), conv(x, "loud")),
    "where": lambda x: where(x, conv(x), conv(x, "loud")),
}


def build(body: Body) -> tuple[Any, np.ndarray]:
    """A network around a join, and samples; signal through every layer, one of them loud."""
    import keras

    keras.utils.set_random_seed(4)
    inputs = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Flatten()(body(inputs))
    model = keras.Model(inputs, keras.layers.Dense(4, name="logits")(x))
    for found in model.layers:
        if found.name == "loud":
            found.kernel.assign(LOUD * found.kernel)
    return model, np.random.default_rng(4).normal(size=(64, 8, 8, 3)).astype(np.float32)


def quantize(body: Body) -> tuple[Any, np.ndarray, Any]:
    model, x = build(body)
    crossed = to_tf_keras(model)
    chosen, _ = qat_plan.plan_quantization(crossed, walk(model))
    quantized = qat._quantize(crossed, frozenset(chosen))
    set_ranges(quantized, x)
    return quantized, x, own_names(model)


def difference(body: Body, folder: Path, converter: ConversionWorker) -> float:
    """How far the int8 file is from the emulation, relative to the spread of its outputs."""
    quantized, x, names = quantize(body)
    save_keras_model(quantized, folder / "saved", 1, names)
    files = convert(folder / "saved", [ConversionRequest("int8", "int8")], x, folder, converter)
    assert "DEQUANTIZE" not in inspect(files["int8"]).operators
    return compare(quantized.predict(x, verbose=0), load(files["int8"]).predict(x)).mean_difference


@pytest.mark.parametrize("name", list(BODIES))
def test_the_file_answers_as_the_emulation(
    name: str, converter: ConversionWorker, tmp_path: Path
) -> None:
    assert difference(BODIES[name], tmp_path, converter) < 0.03


@pytest.mark.parametrize("name", ["Maximum", "Concatenate with one left"])
def test_with_their_own_quantizers_it_still_does_not(
    name: str, converter: ConversionWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day this fails, pipeline/bridge/qat_joins.py may go."""
    monkeypatch.setattr(qat, "leave_joined_scales", lambda quantized: [])
    assert difference(BODIES[name], tmp_path, converter) > 0.3


def released(body: Body, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the layers whose outputs are no longer quantized."""
    found: list[str] = []
    monkeypatch.setattr(
        qat, "leave_joined_scales", lambda quantized: found.extend(leave_joined_scales(quantized))
    )
    quantize(body)
    return found


def test_every_way_into_a_join_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert released(BODIES["Maximum"], monkeypatch) == ["quant_quiet", "quant_loud"]
    assert released(BODIES["Concatenate behind pooling"], monkeypatch) == ["quant_quiet"]
    twice = ["quant_quiet", "quant_quiet_too"]
    assert released(BODIES["Concatenate twice"], monkeypatch) == twice
    straight = released(lambda x: layer("Maximum")(x, conv(x)), monkeypatch)
    assert [name.rstrip("_0123456789") for name in straight] == ["quantize_layer", "quant_quiet"]


def test_where_averages_are_joined_the_join_is_released_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = released(BODIES["Concatenate with averages"], monkeypatch)
    assert [name.rstrip("_0123456789") for name in names] == [
        "quant_quiet", "quant_loud", "quant_concatenate",
    ]  # fmt: skip


def test_an_activation_stays_when_its_quantizer_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    def body(x: Any) -> Any:
        return layer("Maximum")(conv(x, activation="relu"), conv(x, "loud"))

    quantized, x, _ = quantize(body)
    outputs = quantized.get_layer("quant_quiet")(x).numpy()
    assert outputs.min() == 0 < outputs.max()
    assert len(np.unique(outputs)) > 256
    loud = quantized.get_layer("quant_loud")
    assert loud.layer.kernel.shape == (3, 3, 3, 3)
    assert [pair[0] for pair in loud._weight_vars] != []


def test_without_a_join_nothing_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    assert released(lambda x: layer("Add")(conv(x), conv(x, "loud")), monkeypatch) == []
