"""Which samples the teacher sees, and when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.config.train import FineTuneConfig
from pipeline.data.batches import training_batches
from pipeline.data.prepared import Split
from pipeline.runtime import start_tensorflow
from pipeline.tasks.task import Task, classification

start_tensorflow(0)
TASK = classification(("a", "b"))
X = np.arange(20, dtype=np.float32).reshape(10, 2)
DATA = Split(X, np.arange(10, dtype=np.int64) % 2)


class Teacher:
    """Answers twice the sample; counts how often it is called by Python."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Any, training: bool) -> Any:
        import tensorflow as tf

        assert not training
        self.calls += 1
        return 2.0 * tf.convert_to_tensor(x)


def batches(teacher: Any, task: Task = TASK, data: Split = DATA, **options: Any) -> list[Any]:
    config = FineTuneConfig.model_validate({"batch_size": 4, "distillation": {}, **options})
    return list(training_batches(data, task, config, 1, 0, 2, teacher))


def test_samples_that_stay_as_they_are_are_answered_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.data.teacher.TEACHER_BATCH_SIZE", 3)
    teacher = Teacher()
    found = batches(teacher)
    assert len(found) == 6 and teacher.calls == 4  # 10 samples, 3 at a time, for both epochs
    for x, _, _, answers in found:
        np.testing.assert_array_equal(answers.numpy(), 2 * x.numpy())


@pytest.mark.parametrize("change", [{"augmentation": {"noise": 0.5}}, {"mixup": 0.4}])
def test_changed_samples_are_answered_as_they_are_changed(change: dict[str, Any]) -> None:
    for x, _, _, answers in batches(Teacher(), **change):
        assert not np.isin(x.numpy(), X).all()
        np.testing.assert_array_equal(answers.numpy(), 2 * x.numpy())


@pytest.mark.parametrize(("room", "calls"), [(80, 3), (79, 2)])
def test_answers_that_take_too_much_room_are_not_held(
    room: int, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten answers of two float32 are 80 bytes."""
    monkeypatch.setattr("pipeline.data.teacher.HELD_BYTES", room)
    monkeypatch.setattr("pipeline.data.teacher.TEACHER_BATCH_SIZE", 4)
    teacher = Teacher()
    found = batches(teacher, Task("reconstruction", 2), Split(X, X))
    assert teacher.calls == calls, "all samples, or the first four, and once traced into the graph"
    for x, _, _, answers in found:
        np.testing.assert_array_equal(answers.numpy(), 2 * x.numpy())


@pytest.mark.parametrize("change", [{}, {"augmentation": {"noise": 0.5}}])
def test_features_come_after_the_answers(change: dict[str, Any]) -> None:
    def teacher(x: Any, training: bool) -> Any:
        import tensorflow as tf

        x = tf.convert_to_tensor(x)
        return [2.0 * x, 3.0 * x[:, :1], x[:, None, :]]

    for x, _, _, answers, first, second in batches(teacher, **change):
        np.testing.assert_array_equal(answers.numpy(), 2 * x.numpy())
        np.testing.assert_array_equal(first.numpy(), 3 * x.numpy()[:, :1])
        np.testing.assert_array_equal(second.numpy(), x.numpy()[:, None, :])


def test_a_keras_model_is_a_teacher() -> None:
    """In the graph of the input and by itself it gives the same."""
    import keras

    keras.utils.set_random_seed(1)
    layers = [keras.Input((2,)), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    teacher = keras.Sequential([*layers, keras.layers.Dense(2)])
    for options in ({}, {"augmentation": {"noise": 0.1}}):
        for x, _, _, answers in batches(teacher, **options):
            np.testing.assert_allclose(answers, teacher(x.numpy()), rtol=1e-6)


def test_teacher_and_distillation_go_together() -> None:
    with pytest.raises(ValueError, match="go together; received one of them"):
        batches(None)
    with pytest.raises(ValueError, match="go together"):
        batches(Teacher(), distillation=None)
