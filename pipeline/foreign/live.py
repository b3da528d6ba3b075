"""Models in memory: a Keras 3 model is copied, a tf_keras model rebuilt in Keras 3."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from pipeline.errors import ConfigError, UntrustedModelError
from pipeline.foreign.classes import MODELS
from pipeline.foreign.compile_facts import compile_facts
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.foreign_model import ForeignModel
from pipeline.foreign.gate import check_config
from pipeline.foreign.keras_2 import translate_config
from pipeline.foreign.layer_tree import layer_tree
from pipeline.foreign.notes import notes_on
from pipeline.foreign.rebuild import rebuild
from pipeline.foreign.weights_by_layer import TOP_LEVEL, match_layers

_WHERE = "the model"


def from_live(model: Any) -> ForeignModel:
    """Takes a model from memory; the given one is not changed.

    Args:
        model: built; of Keras 3, or of tf_keras (sequential or functional).

    Returns:
        A Keras 3 model of its own.

    Raises:
        ConfigError: no model, not built, or a class that cannot be made again.
        UntrustedModelError: a tf_keras model with a layer that Keras 3 lacks.
    """
    import keras

    if isinstance(model, keras.Model):
        _check_built(model)
        return ForeignModel(
            _copy(model), "live Keras 3 model", compile_facts(_compile_config(model)), ()
        )
    if any(base.__module__.split(".")[0] == "tf_keras" for base in type(model).__mro__) and (
        hasattr(model, "to_json")
    ):
        _check_built(model)
        return _from_tf_keras(model)
    raise ConfigError(
        f"the model is a {type(model).__module__}.{type(model).__name__}, expected a Keras 3 or "
        "tf_keras model, or the path of a file"
    )


def _check_built(model: Any) -> None:
    if not model.built:
        raise ConfigError("the model is not built; call it once on data before it is given")


def _copy(model: Any) -> Any:
    """Makes the model again from its config; the classes are those that are already in memory."""
    import keras

    try:
        if hasattr(model, "operations") or isinstance(model, keras.Sequential):
            copy = keras.models.clone_model(model)
        else:
            copy = type(model).from_config(model.get_config())
            copy.build_from_config(model.get_build_config())
        copy.set_weights(model.get_weights())
    except Exception as error:  # the user's own classes may raise anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ConfigError(
            f"the model ({type(model).__name__}) cannot be copied ({reason}); a class of your own "
            "needs get_config and from_config"
        ) from error
    return copy


def _compile_config(model: Any) -> Any:
    """Returns what the model was compiled with, as its file would state it."""
    try:
        return model.get_compile_config()
    except Exception:  # a loss that is a function of the user's has no config
        return None


def _from_tf_keras(model: Any) -> ForeignModel:
    config = json.loads(model.to_json())
    if config["class_name"] not in MODELS:
        raise UntrustedModelError(
            f"{_WHERE} ({config['class_name']}) is a subclassed tf_keras model, which has no graph "
            "to rebuild; define it with tf_keras.Model(inputs, outputs), or in Keras 3"
        )
    custom = CustomObjects()
    checked = check_config(translate_config(config, custom, _WHERE), custom, _WHERE)
    nodes = layer_tree(config)

    def match(rebuilt: Any) -> dict[int, np.ndarray]:
        return match_layers(rebuilt, nodes, _arrays(model), _WHERE)

    rebuilt = rebuild(checked, {}, match, _WHERE)
    version = str(config.get("keras_version", "")).strip()
    return ForeignModel(
        model=rebuilt,
        origin=f"live tf_keras {version} model".replace("  ", " "),
        compiled=compile_facts(_compile_config(model)),
        notes=notes_on(config, 2),
    )


def _arrays(model: Any) -> dict[str, list[tuple[str, np.ndarray]]]:
    """Lists the weights as an `.h5` file of Keras 2 does: trainable ones first."""
    found: dict[str, list[tuple[str, np.ndarray]]] = {TOP_LEVEL: []}
    for layer in model.layers:
        weights = [*layer.trainable_weights, *layer.non_trainable_weights]
        found[layer.name] = [(weight.name, weight.numpy()) for weight in weights]
        for name, value in found[layer.name]:
            if not np.isfinite(value).all():
                raise ConfigError(
                    f"{_WHERE}: '{name}' of layer '{layer.name}' holds values that are not finite "
                    "numbers; train it again"
                )
    return found
