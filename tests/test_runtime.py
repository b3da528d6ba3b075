"""TensorFlow starts quietly, on Keras 3, and the seed decides."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

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


HELD = (
    "import tensorflow as tf\n"
    "from pathlib import Path\n"
    "def megabytes():\n"
    "    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 1e6\n"
    "before = megabytes()\n"
    "tensors = [tf.random.uniform((4000, 4000)) for _ in range(4)]\n"
    "del tensors\n"
    "print(megabytes() - before)\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process holds")
def test_memory_goes_back_to_the_system() -> None:
    started = "from pipeline.runtime import import_tensorflow; import_tensorflow()\n"
    assert float(python(started + HELD).stdout) < 150


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what a process holds")
def test_tensorflow_still_keeps_it_by_itself() -> None:
    """The day this fails, TF_ONEDNN_USE_SYSTEM_ALLOCATOR in runtime.py may go."""
    settings = {"TF_ONEDNN_USE_SYSTEM_ALLOCATOR": "0"}
    assert float(python(HELD, **settings).stdout) > 200
