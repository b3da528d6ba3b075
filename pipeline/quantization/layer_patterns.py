"""The layers of `quantize.layers`, looked up in the model."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipeline.config.suggest import did_you_mean
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import keras

    from pipeline.config.quantize import QuantizeConfig
    from pipeline.tflite.layer_schemes import LayerSchemes


def layer_schemes(settings: QuantizeConfig, model: keras.Model) -> LayerSchemes | None:
    """Returns the exceptions from a file's scheme, or None without any.

    Args:
        settings: the section `quantize`.
        model: that is quantized.

    Raises:
        ConfigError: a pattern matches none of the model's layers.
    """
    from pipeline.bridge.layer_names import layer_names
    from pipeline.tflite.layer_schemes import LayerSchemes

    if not settings.layers:
        return None
    names = layer_names(model)
    check_patterns(settings.layers, names.layers)
    given = tuple((pattern, layer.scheme) for pattern, layer in settings.layers.items())
    return LayerSchemes(given, names)


def check_patterns(patterns: Iterable[str], layers: Iterable[str]) -> None:
    """Refuses a pattern that no layer has.

    Args:
        patterns: keys of `quantize.layers`.
        layers: names of all layers of the model.

    Raises:
        ConfigError: names the pattern, and the layer that is spelled most like it.
    """
    known = list(layers)
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            raise ConfigError(
                f"quantize.layers: the pattern '{pattern}' matches no layer of the model"
                f"{did_you_mean(pattern, known)}"
            )
