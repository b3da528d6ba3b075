"""The one place that imports tf_keras and tfmot, in an order that keeps `tf.keras` on Keras 3."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from types import ModuleType
from typing import ParamSpec, TypeVar

from pipeline.runtime import LEGACY_SWITCH, import_tensorflow

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def import_tf_keras() -> ModuleType:
    """Imports tf_keras with reproducible random layers.

    Without enable_tf_random_generator, Dropout draws from a state that no checkpoint can hold,
    and a resumed training differs (tf_keras 2.21.0).

    Returns:
        The module tf_keras.
    """
    import_tensorflow()
    import tensorflow as tf

    # `tf.keras` is resolved on first use and then kept; a tf_keras imported before that use
    # takes its place (tensorflow 2.21.0).
    _ = tf.keras.__version__
    import tf_keras

    tf_keras.backend.experimental.enable_tf_random_generator()
    return tf_keras


def restart_names() -> None:
    """Names the next layers as a fresh process would.

    tf_keras counts names up in a process (quantize_layer_1, …), and they are part of a `.tflite`
    file: the same model, made a second time, would be some bytes longer (tf_keras 2.21.0).
    """
    import_tf_keras().backend.reset_uids()


def import_tfmot() -> ModuleType:
    """Imports tf_keras, then tfmot, and takes back what tfmot does to the environment.

    Importing tfmot sets TF_USE_LEGACY_KERAS=1, which child processes would inherit: their
    `tf.keras` would be Keras 2 (tfmot 0.8.1).

    Returns:
        The module tensorflow_model_optimization.
    """
    import_tf_keras()
    before = os.environ.get(LEGACY_SWITCH)
    try:
        import tensorflow_model_optimization as tfmot
    finally:
        if before is None:
            os.environ.pop(LEGACY_SWITCH, None)
        else:
            os.environ[LEGACY_SWITCH] = before
    return tfmot


def without_autograph(function: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Keeps AutoGraph from rewriting the Python of tfmot's layers while `function` runs.

    They use tf.cond themselves and need no rewriting, which took 10 of the 12 s of a
    quantize_apply on five layers (tensorflow 2.21.0, tfmot 0.8.1).
    """

    @functools.wraps(function)
    def run(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Result:
        import_tensorflow()
        import tensorflow as tf

        result: _Result = tf.autograph.experimental.do_not_convert(function)(*args, **kwargs)
        return result

    return run
