"""Files that are as small as was promised, and files that are not."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from pipeline.errors import PromiseError
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.verify_narrowed import check_narrowed
from pipeline.tflite.worker import ConversionWorker


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, worker: ConversionWorker) -> dict[int, Path]:
    """Units of a hidden layer → the file of that model, two samples in a call."""
    folder, paths = tmp_path_factory.mktemp("narrowed"), {}
    for units in (8, 4):
        inputs = keras.Input((5,), name="features")
        x = keras.layers.Dense(units, activation="relu", name="hidden")(inputs)
        model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))
        save_keras_model(model, folder / f"saved_{units}", 2)
        request = ConversionRequest(f"units_{units}", "float32")
        made = convert(folder / f"saved_{units}", [request], None, folder, worker)
        paths[units] = made[request.name]
    return paths


def test_the_counts_of_the_keras_models_are_in_the_files(files: dict[int, Path]) -> None:
    check_narrowed(files[4], files[8], {"before": 64, "after": 32})
    check_narrowed(files[4], files[8], {"before": None, "after": None})
    # Counted otherwise in the float file: then no more is known.
    check_narrowed(files[4], files[8], {"before": 63, "after": 1})


def test_more_than_promised_is_told(files: dict[int, Path]) -> None:
    with pytest.raises(PromiseError, match=r"units_4.tflite has 64 multiply-.* at most 62"):
        check_narrowed(files[4], files[8], {"before": 64, "after": 31})
    with pytest.raises(PromiseError, match="has 64 weights in its kernels, expected fewer than"):
        check_narrowed(files[8], files[8], {"before": 64, "after": 32})
