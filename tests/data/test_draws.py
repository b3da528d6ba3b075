from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.data.draws import (
    ROWS,
    STREAMS,
    around_zero,
    draw_rows,
    sign,
    step_seed,
    stream_seed,
    whole,
)
from pipeline.runtime import import_tensorflow


@pytest.fixture(scope="module", autouse=True)
def _tensorflow() -> None:
    import_tensorflow()


def seed(epoch: int = 1, step: int = 2, run: int = 0) -> Any:
    import tensorflow as tf

    return step_seed(run, tf.constant(epoch, tf.int64), tf.constant(step, tf.int64))


def rows(at: Any = None, count: int = 2000) -> dict[str, np.ndarray]:
    drawn = draw_rows(seed() if at is None else at, count)
    return {name: row.numpy() for name, row in drawn.items()}


def test_draws_are_pinned() -> None:
    # Resumed trainings depend on it: TensorFlow keeps the streams of its stateless operations.
    assert seed().numpy().tolist() == [2**32, 8]
    drawn = rows(count=3)
    first, last = [0.256428, 0.338594, 0.377435], [0.651866, 0.692066, 0.923561]
    np.testing.assert_allclose(drawn["horizontal_flip"], first, rtol=1e-5)
    np.testing.assert_allclose(drawn["brightness"], last, rtol=1e-5)


def test_runs_epochs_steps_and_kinds_of_draws_differ() -> None:
    seeds = [seed(), seed(epoch=2, step=1), seed(run=1), seed(run=2**32 - 1), seed(step=3)]
    drawn = [row.tobytes() for each in seeds for row in rows(each, 4).values()]
    assert len(set(drawn)) == len(seeds) * len(ROWS)


def test_no_stream_of_a_step_is_that_of_another() -> None:
    import tensorflow as tf

    points = [
        step_seed(run, tf.constant(epoch, tf.int64), tf.constant(step, tf.int64))
        for run in (0, 1, 2**32 - 1)
        for epoch in (0, 1, 99_999)
        for step in (0, 1, 2)
    ]
    seeds = {tuple(stream_seed(p, name).numpy().tolist()) for p in points for name in STREAMS}
    assert len(seeds) == 27 * len(STREAMS)


def test_uniform_numbers_become_what_is_asked_for() -> None:
    u = np.array([0.0, 0.25, 0.5, 0.999], np.float32)
    np.testing.assert_allclose(around_zero(u, 2.0), [-2, -1, 0, 1.996], rtol=1e-5)
    assert whole(u, 1).numpy().tolist() == [-1, -1, 0, 1]
    assert whole(u, 0).numpy().tolist() == [0, 0, 0, 0]
    assert sign(u, True).numpy().tolist() == [-1, -1, 1, 1]
    assert sign(u, False).numpy().tolist() == [1, 1, 1, 1]


def test_every_whole_number_is_as_likely() -> None:
    values = whole(rows()["shift_x"], 3).numpy()
    counts = [int((values == number).sum()) for number in range(-3, 4)]
    assert sum(counts) == 2000 and min(counts) > 230
