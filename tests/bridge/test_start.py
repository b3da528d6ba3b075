"""Imports in the order that keeps Keras 3, and the environment left as it was."""

from __future__ import annotations

import os
import subprocess
import sys

from pipeline.bridge.start import LEGACY_SWITCH, import_tf_keras, import_tfmot


def test_tf_keras_stays_keras_3_after_tfmot() -> None:
    import keras
    import tensorflow as tf

    import_tfmot()
    assert tf.keras.__version__ == keras.__version__
    assert import_tf_keras().__version__.startswith("2.")


def test_child_processes_do_not_inherit_the_legacy_switch() -> None:
    import_tfmot()
    assert LEGACY_SWITCH not in os.environ


def test_tfmot_still_sets_the_switch() -> None:
    """Fails the day tfmot leaves the environment alone: then import_tfmot need not mend it."""
    code = (
        "import os, tensorflow as tf; tf.keras.__version__; "
        "import tensorflow_model_optimization; print(os.environ.get('TF_USE_LEGACY_KERAS'))"
    )
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop(LEGACY_SWITCH, None)
    out = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "1"


def test_random_layers_draw_from_a_state_that_can_be_saved() -> None:
    tf_keras = import_tf_keras()
    layer = tf_keras.layers.Dropout(0.5, seed=1)
    layer(tf_keras.Input((3,)))
    assert layer._random_generator._generator is not None
