"""The layers of `quantize.layers`, looked up in the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.bridge.layer_patterns import unmatched_patterns
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
    for sentence in unmatched_patterns("quantize", settings.layers, names.layers):
        raise ConfigError(sentence)
    given = tuple((pattern, layer.scheme) for pattern, layer in settings.layers.items())
    return LayerSchemes(given, names)
