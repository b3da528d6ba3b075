"""tfmot's two convolutions in the place of a SeparableConv2D, named after the layer they are of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.bridge.start import import_tfmot


@contextmanager
def separable_parts_named() -> Iterator[None]:
    """Names the halves of 'conv' 'conv/depthwise' and 'conv/pointwise' while the block runs.

    tfmot lets tf_keras name them by counting, which does not look at the names that are there: in
    Xception the first is 'conv2d', as is a convolution of the model. Each then waits for the other
    to be built, in a loop without an end: quantize_apply does not return (tf_keras 2.21.0, tfmot
    0.8.1). No two layers have these names, and in the `.tflite` they tell the layer.
    """
    import_tfmot()
    from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
        default_8bit_transforms as transforms,
    )

    transform: Any = transforms.SeparableConvQuantize
    split = transform.replacement

    def split_named(self: Any, match: Any) -> Any:
        name, made = match.layer["config"]["name"], split(self, match)
        # A layer with a quantization of its own is handed on as it is.
        if made.layer["config"]["name"] != name:
            for node, part in ((made, "pointwise"), (made.input_layers[0], "depthwise")):
                node.layer["name"] = node.layer["config"]["name"] = f"{name}/{part}"
        return made

    transform.replacement = split_named
    try:
        yield
    finally:
        transform.replacement = split
