from __future__ import annotations

import numpy as np
import pytest

from pipeline.data.batches import epoch_order, evaluation_batches, steps_per_epoch, training_batches
from pipeline.data.prepared import Split
from pipeline.errors import DataError


def split(n: int) -> Split:
    x = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    return Split(x, np.arange(n, dtype=np.int64))


def rows(dataset: object) -> list[list[int]]:
    return [y.numpy().tolist() for _, y in dataset]  # type: ignore[attr-defined]


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
    assert int(training_batches(split(n), batch, 0, 0, 2).cardinality()) == 2 * steps


def test_epochs_follow_each_other_without_mixing() -> None:
    batches = rows(training_batches(split(10), 4, seed=7, first_epoch=2, last_epoch=4))
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]
    assert [row for batch in batches[:3] for row in batch] == epoch_order(7, 2, 10).tolist()
    assert [row for batch in batches[3:] for row in batch] == epoch_order(7, 3, 10).tolist()


def test_resumed_epochs_are_those_of_a_whole_run() -> None:
    whole = rows(training_batches(split(10), 4, 7, 0, 4))
    assert rows(training_batches(split(10), 4, 7, 2, 4)) == whole[6:]


def test_samples_stay_with_their_labels() -> None:
    data = split(9)
    for x, y in training_batches(data, 4, 0, 0, 1):
        np.testing.assert_array_equal(x.numpy(), data.x[y.numpy()])
        assert x.numpy().dtype == np.float32 and y.numpy().dtype == np.int64


def test_shapes_are_known_but_for_the_batch() -> None:
    x_spec, y_spec = training_batches(split(9), 4, 0, 0, 1).element_spec
    assert x_spec.shape.as_list() == [None, 2]
    assert y_spec.shape.as_list() == [None]


def test_no_epochs_are_no_batches() -> None:
    assert rows(training_batches(split(5), 2, 0, 3, 3)) == []


def test_evaluation_is_in_order_and_once() -> None:
    dataset = evaluation_batches(split(5), 2)
    assert rows(dataset) == [[0, 1], [2, 3], [4]]
    assert int(dataset.cardinality()) == 3


@pytest.mark.parametrize("make", [evaluation_batches, lambda s, b: training_batches(s, b, 0, 0, 1)])
def test_empty_split_and_batch_are_refused(make: object) -> None:
    with pytest.raises(DataError, match="without samples"):
        make(split(0), 2)  # type: ignore[operator]
    with pytest.raises(ValueError, match="batch_size 0; expected at least 1"):
        make(split(3), 0)  # type: ignore[operator]
