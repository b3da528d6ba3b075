"""TensorFlow starts quietly, on Keras 3, and the seed decides."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import ROOT


def python(code: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )


def test_starting_says_nothing_and_keeps_keras_3() -> None:
    done = python(
        "from pipeline.runtime import start_tensorflow\n"
        "start_tensorflow(0)\n"
        "import tensorflow as tf, keras, sklearn\n"
        "assert tf.keras.__version__ == keras.__version__, tf.keras.__version__\n"
        "print(keras.random.uniform((2,)).numpy().tolist())\n"
        "start_tensorflow(0)\n"
        "print(keras.random.uniform((2,)).numpy().tolist())\n"
        "start_tensorflow(1)\n"
        "print(keras.random.uniform((2,)).numpy().tolist())\n",
        TF_USE_LEGACY_KERAS="1",  # as users of tfmot have it in their shell
    )
    assert done.stderr == ""
    first, again, other = done.stdout.splitlines()
    assert first == again != other


def test_tensorflow_still_chatters_by_itself() -> None:
    """The day this fails, pipeline/stderr.py and the redirection in runtime.py may go."""
    code = "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'; import tensorflow"
    assert "All log messages before absl::InitializeLog()" in python(code).stderr


def test_keras_still_imports_sklearn_by_itself() -> None:
    """The day this fails, _without_sklearn in runtime.py may go."""
    done = python("import keras, sys; print('sklearn' in sys.modules)")
    assert done.stdout.strip() == "True"
