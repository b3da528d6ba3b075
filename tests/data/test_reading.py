from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.config.data import DataConfig
from pipeline.config.train import FineTuneConfig
from pipeline.data.batches import training_batches
from pipeline.data.prepare import load_data, prepare_data, save_preparation
from pipeline.data.reading import data_errors
from pipeline.errors import DataError
from pipeline.runtime import import_tensorflow
from tests.data.image_files import random_images


def test_picture_deleted_during_the_training_is_a_fault_of_the_data(tmp_path: Path) -> None:
    import_tensorflow()
    root = random_images(tmp_path / "in")
    fractions = {"validation_fraction": 0.25, "test_fraction": 0.25}
    config = DataConfig(source="images", path=root, **fractions)
    save_preparation(prepare_data(config, 0), tmp_path / "out")
    data = load_data(config, tmp_path / "out", ("validation",))
    task, settings = data.task, FineTuneConfig(batch_size=2)
    batch, *_ = next(iter(training_batches(data.validation, task, settings, 0, 0, 1)))
    assert batch.shape == (2, *data.input_shape)
    fresh = load_data(config, tmp_path / "out", ("validation",)).validation
    for path in root.glob("*/*.png"):
        path.unlink()
    message = r"\d\.png: No such file or directory; expected"
    with pytest.raises(DataError, match=message) as error, data_errors():
        next(iter(training_batches(fresh, task, settings, 0, 0, 1)))
    assert "\n" not in str(error.value)


def test_the_fault_of_tensorflow_is_still_there() -> None:
    # Once numpy_function raises what was raised, data_errors can go.
    import_tensorflow()
    import tensorflow as tf

    def fail(value: np.ndarray) -> np.ndarray:
        raise DataError("two\nlines")

    rows = tf.data.Dataset.range(1).map(lambda v: tf.numpy_function(fail, [v], tf.int64))
    with pytest.raises(tf.errors.UnknownError, match="DataError: two"):
        next(iter(rows))


def test_other_faults_pass() -> None:
    for fault in (ValueError("DataError: x\nTraceback"), DataError("as it is")):
        with pytest.raises(type(fault)) as error, data_errors():
            raise fault
        assert error.value is fault
