from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.config.train import FineTuneConfig
from pipeline.data.batches import (
    _prefetched,
    epoch_order,
    steps_per_epoch,
    training_batches,
)
from pipeline.data.prepared import Split
from pipeline.errors import ConfigError, DataError
from pipeline.tasks.task import Task, classification

TASK = classification(("a", "b"))


def training(data: Split, batch: Any, seed: int, first: int, last: int, **options: Any) -> Any:
    config = FineTuneConfig.model_validate({"batch_size": batch, **options})
    return training_batches(data, TASK, config, seed, first, last)


def split(n: int) -> Split:
    x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    return Split(x, np.arange(n, dtype=np.int64))


def rows(dataset: object) -> list[list[int]]:
    return [y.numpy().tolist() for _, y, *_ in dataset]  # type: ignore[attr-defined]


def test_order_is_pinned() -> None:
    # Recorded digests and resumed trainings depend on it: NumPy keeps the stream of PCG64.
    assert epoch_order(0, 0, 8).tolist() == [2, 4, 3, 6, 5, 0, 1, 7]
    assert epoch_order(0, 0, 8).dtype == np.int64


def test_orders_of_epochs_and_seeds_differ() -> None:
    orders = [epoch_order(seed, epoch, 50).tolist() for seed, epoch in [(0, 0), (0, 1), (1, 0)]]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize(("n", "batch", "steps"), [(10, 4, 3), (8, 4, 2), (3, 8, 1)])
def test_steps_per_epoch(n: int, batch: int, steps: int) -> None:
    assert steps_per_epoch(n, batch) == steps
    assert int(training(split(n), batch, 0, 0, 2).cardinality()) == 2 * steps


def test_epochs_follow_each_other_without_mixing() -> None:
    batches = rows(training(split(10), 4, seed=7, first=2, last=4))
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]
    assert [row for batch in batches[:3] for row in batch] == epoch_order(7, 2, 10).tolist()
    assert [row for batch in batches[3:] for row in batch] == epoch_order(7, 3, 10).tolist()


def test_resumed_epochs_are_those_of_a_whole_run() -> None:
    whole = rows(training(split(10), 4, 7, 0, 4))
    assert rows(training(split(10), 4, 7, 2, 4)) == whole[6:]


def test_samples_stay_with_their_labels() -> None:
    data = split(9)
    for x, y, _ in training(data, 4, 0, 0, 1):
        np.testing.assert_array_equal(x.numpy(), data.x[y.numpy()])
        assert x.numpy().dtype == np.float32 and y.numpy().dtype == np.int64


def test_shapes_are_known_but_for_the_batch() -> None:
    x_spec, y_spec, w_spec = training(split(9), 4, 0, 0, 1).element_spec
    assert x_spec.shape.as_list() == [None, 2]
    assert y_spec.shape.as_list() == [None]
    assert w_spec.shape.as_list() == [None]


def test_no_epochs_are_no_batches() -> None:
    assert rows(training(split(5), 2, 0, 3, 3)) == []


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(DataError, match="without samples"):
        training(split(0), 2, 0, 0, 1)


class OnDisk:
    """Samples that are read when asked for, as images on disk are."""

    def __init__(self, x: np.ndarray) -> None:
        self.x, self.shape, self.dtype = x, x.shape, x.dtype
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, rows: Any) -> np.ndarray:
        found: np.ndarray = self.x[rows]
        self.asked.append(len(found))
        return found


IMAGES = np.random.default_rng(0).uniform(size=(10, 4, 4, 1)).astype(np.float32)
LABELS = np.arange(10, dtype=np.int64) % 2
RECONSTRUCTION = Task("reconstruction", 16)
CHANGES: dict[str, Any] = {
    "augmentation": {"shift": 1, "rotate": 20, "contrast": 0.2, "noise": 0.1},
    "label_smoothing": 0.1,
    "mixup": 0.3,
    "class_weights": {"b": 3.0},
}


def arrays(dataset: Any) -> list[list[np.ndarray]]:
    return [[part.numpy() for part in batch] for batch in dataset]


def assert_equal(first: Any, second: Any) -> None:
    for ours, theirs in zip(arrays(first), arrays(second), strict=True):
        for part, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(part, other)


def test_weights_are_ones_unless_classes_have_their_own() -> None:
    data = Split(IMAGES, LABELS)
    assert all((w == 1).all() for _, _, w in arrays(training(data, 4, 0, 0, 1)))
    for _, y, w in arrays(training(data, 4, 0, 0, 1, class_weights={"b": 3.0})):
        np.testing.assert_array_equal(w, np.where(y == 1, 3.0, 1.0))


@pytest.mark.parametrize("options", [{}, CHANGES], ids=["plain", "changed"])
def test_samples_on_disk_are_those_in_memory(options: dict[str, Any]) -> None:
    lazy = OnDisk(IMAGES)
    first, second = Split(lazy, LABELS), Split(IMAGES, LABELS)
    assert_equal(training(first, 4, 3, 0, 2, **options), training(second, 4, 3, 0, 2, **options))
    assert max(size for size in lazy.asked if size != len(IMAGES)) <= 4
    assert training(first, 4, 0, 0, 1).element_spec[0].shape.as_list() == [None, 4, 4, 1]


@pytest.mark.parametrize("first_epoch", [1, 2])
def test_changed_batches_of_a_resumed_training_are_those_of_a_whole_one(first_epoch: int) -> None:
    data = Split(IMAGES, LABELS)
    whole = training(data, 4, 3, 0, 3, **CHANGES).skip(3 * first_epoch)
    assert_equal(training(data, 4, 3, first_epoch, 3, **CHANGES), whole)


def test_no_epoch_and_no_sample_is_changed_like_another() -> None:
    data = Split(np.repeat(IMAGES[:1], 6, axis=0), LABELS[:6])
    options = {"augmentation": {"rotate": 20}}
    x = np.concatenate([x for x, _, _ in arrays(training(data, 2, 0, 0, 3, **options))])
    assert len({image.tobytes() for image in x}) == 18


def test_soft_answers_have_a_row_per_sample() -> None:
    for options in ({"label_smoothing": 0.2}, {"mixup": 0.3}):
        _, y_spec, _ = training(Split(IMAGES, LABELS), 4, 0, 0, 1, **options).element_spec
        assert (y_spec.shape.as_list(), y_spec.dtype.name) == ([None, 2], "float32")


def test_reconstruction_is_asked_for_the_augmented_image_without_its_noise() -> None:
    data = Split(IMAGES, IMAGES)

    def batch(**augmentation: Any) -> list[np.ndarray]:
        config = FineTuneConfig.model_validate({"batch_size": 10, "augmentation": augmentation})
        return arrays(training_batches(data, RECONSTRUCTION, config, 0, 0, 1))[0]

    x, y, _ = batch(shift=1)
    np.testing.assert_array_equal(x, y)
    noisy, clean, _ = batch(shift=1, noise=0.5)
    np.testing.assert_array_equal(clean, x)
    assert 0.4 < (noisy - clean).std() < 0.6


def test_one_array_of_a_reconstruction_is_held_once() -> None:
    for x, y, _ in arrays(training_batches(
        Split(IMAGES, IMAGES), RECONSTRUCTION, FineTuneConfig(batch_size=4), 0, 0, 1
    )):  # fmt: skip
        np.testing.assert_array_equal(x, y)


def test_whole_batches_are_one_step() -> None:
    assert [len(w) for _, _, w in arrays(training(Split(IMAGES, LABELS), "full", 0, 0, 2))] == [
        10, 10
    ]  # fmt: skip


def test_an_augmentation_that_does_not_fit_is_refused_before_the_first_batch() -> None:
    with pytest.raises(ConfigError, match="needs images"):
        training(split(5), 2, 0, 0, 1, augmentation={"rotate": 5})
    tokens = Split(np.zeros((4, 3), np.int32), LABELS[:4])
    with pytest.raises(ConfigError, match="mixup mixes numbers, received int32"):
        training(tokens, 2, 0, 0, 1, mixup=0.2)


def test_few_large_batches_are_held_ready() -> None:
    wide = np.zeros((8, 1000, 1000), np.float32)  # 4 MB a sample
    assert _prefetched(Split(wide, LABELS), 1) == 8
    assert _prefetched(Split(wide, LABELS), 4) == 4
    assert _prefetched(Split(wide, LABELS), 100) == 2
