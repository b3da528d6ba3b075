"""The one place that starts TensorFlow: quietly, on Keras 3, deterministically."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator

from pipeline.stderr import captured_stderr

# Read by TensorFlow's C++ side when the library is loaded, so they are set before the import.
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    # oneDNN's allocator doubles what it takes, and gives nothing back (tensorflow 2.21.0).
    "TF_ONEDNN_USE_SYSTEM_ALLOCATOR": "1",
}
# Makes `tf.keras` Keras 2. Users of tfmot have it in their shell.
LEGACY_SWITCH = "TF_USE_LEGACY_KERAS"


def import_tensorflow() -> None:
    """Imports tensorflow, then keras, with their start-up chatter and their pool of memory off.

    The order matters: importing tfmot sets TF_USE_LEGACY_KERAS=1, and with tensorflow and
    keras imported first `tf.keras` stays Keras 3 (tensorflow 2.21.0, tfmot 0.8.1). Where the
    variable is set already, it is taken out of this process's environment.
    """
    os.environ.pop(LEGACY_SWITCH, None)
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "tensorflow" in sys.modules and "keras" in sys.modules:
        return
    with _without_sklearn(), captured_stderr():
        import absl.logging
        import keras  # noqa: F401
        import tensorflow as tf
    absl.logging.set_verbosity(absl.logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    tf.get_logger().setLevel("ERROR")
    warnings.filterwarnings("ignore", module=r"(tf_keras|tensorflow|keras_tuner)\b")


@contextlib.contextmanager
def _without_sklearn() -> Iterator[None]:
    """Keeps keras 3.15.1 from importing scikit-learn for its wrappers: 1 s of start-up."""
    hidden = "sklearn" not in sys.modules
    if hidden:
        sys.modules["sklearn"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules["sklearn"]


def start_tensorflow(seed: int) -> None:
    """Imports TensorFlow, makes its ops deterministic and seeds Python, NumPy and TensorFlow.

    Args:
        seed: any integer in [0, 2**32).
    """
    import_tensorflow()
    import keras
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)
