"""Batches for training and evaluation, in an order that depends on (seed, epoch) alone.

Resuming at epoch k needs no state of the input: epoch k's order is drawn anew from [seed, k].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.data.augmentation import add_noise, check_augmentation, image_changes
from pipeline.data.draws import step_seed
from pipeline.data.mixing import Batch, class_weights, mix_up, soft_answers
from pipeline.data.teacher import teacher_reader
from pipeline.errors import ConfigError, DataError

if TYPE_CHECKING:
    import tensorflow as tf

    from pipeline.config.train import FineTuneConfig
    from pipeline.data.prepared import Split
    from pipeline.data.samples import Samples
    from pipeline.tasks.task import Task

PREFETCHED_BATCHES = 8
PREFETCHED_BYTES = 64_000_000


def epoch_order(seed: int, epoch: int, n: int) -> np.ndarray:
    """Draws the order in which one epoch visits the samples.

    Args:
        seed: the run's seed, ≥ 0.
        epoch: counted from 0.
        n: number of samples.

    Returns:
        int64 (n,), a permutation of 0..n-1.
    """
    return np.random.default_rng([seed, epoch]).permutation(n)


def steps_per_epoch(n: int, batch_size: int) -> int:
    """Returns ceil(n / batch_size): the last batch of an epoch may be smaller."""
    return -(-n // batch_size)


def training_batches(
    split: Split,
    task: Task,
    config: FineTuneConfig,
    seed: int,
    first_epoch: int,
    last_epoch: int,
    teacher: Callable[..., Any] | None = None,
) -> tf.data.Dataset:
    """Yields the batches of epochs first_epoch..last_epoch-1, back to back.

    Samples are augmented first; a model that reconstructs is asked for what comes out of that,
    and the noise, which is only in its input, is for it to remove. Then answers are softened and
    samples mixed.

    Arrays are held once and a step gathers its rows; other samples are read a batch at a time.
    Batches never reach over the end of an epoch, so each epoch has steps_per_epoch(n, batch_size)
    of them.

    Args:
        split: n samples.
        task: what their answers are.
        config: batch size, augmentation, label smoothing, mixup and class weights.
        seed: the run's seed, ≥ 0.
        first_epoch: the first epoch to yield, counted from 0.
        last_epoch: the epoch before which to stop.
        teacher: a Keras 3 model x → outputs, or [outputs, feature, …], asked for with
            config.distillation; else None.

    Returns:
        A dataset of (x (b, *input_shape), y (b, …), w float32 (b,)) of known cardinality; w is
        what each sample's loss is multiplied by. y is float32 where it is softened or mixed.
        With a teacher, its outputs and features, each float32 (b, …), come after them.

    Raises:
        ConfigError: the augmentation or the class weights do not fit the data.
    """
    import tensorflow as tf

    if (config.distillation is None) != (teacher is None):
        raise ValueError("a teacher and config.distillation go together; received one of them")
    batch_size = config.samples_in_batch(len(split))
    n, steps = _count(split, batch_size)
    epochs = max(last_epoch - first_epoch, 0)
    rows_of, change = _row_reader(split), _changes(split, task, config)
    if teacher is not None:
        ask = teacher_reader(teacher, split, config)

    def draw(epoch: int) -> np.ndarray:
        return epoch_order(seed, int(epoch), n)

    def index_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.ensure_shape(tf.numpy_function(draw, [epoch], tf.int64, stateful=False), (n,))
        starts = tf.data.Dataset.range(0, n, batch_size)
        return starts.map(lambda at: (order[at : at + batch_size], epoch, at // batch_size))

    def batch(rows: tf.Tensor, epoch: tf.Tensor, step: tf.Tensor) -> tuple[tf.Tensor, ...]:
        x, y = rows_of(rows)
        x, y, w = change(x, y, step_seed(seed, epoch, step))
        return (x, y, w) if teacher is None else (x, y, w, *ask(rows, x))

    batches = tf.data.Dataset.range(first_epoch, first_epoch + epochs).flat_map(index_batches)
    # AutoGraph has nothing to rewrite here, and would take seconds to find that out.
    batches = batches.map(tf.autograph.experimental.do_not_convert(batch), **_parallel(split))
    batches = batches.apply(tf.data.experimental.assert_cardinality(epochs * steps))
    return batches.prefetch(_prefetched(split, batch_size))


def _changes(
    split: Split, task: Task, config: FineTuneConfig
) -> Callable[[tf.Tensor, tf.Tensor, tf.Tensor], Batch]:
    """Returns the graph function x, y, seed of the step → x, y, w as the model is to see them."""
    import tensorflow as tf

    augmentation, reconstructs = config.augmentation, task.name == "reconstruction"
    if augmentation is not None:
        check_augmentation(augmentation, split.x.shape[1:], split.x.dtype)
        change_images = image_changes(augmentation, split.x)
    if config.mixup and not np.issubdtype(split.x.dtype, np.floating):
        raise ConfigError(f"mixup mixes numbers, received {split.x.dtype} samples; leave it out")
    weights = None
    if config.class_weights is not None:
        weights = tf.constant(class_weights(task, split.y, config.class_weights))

    def change(x: tf.Tensor, y: tf.Tensor, seed: tf.Tensor) -> Batch:
        w = tf.ones(tf.shape(x)[:1]) if weights is None else tf.gather(weights, y)
        if augmentation is not None:
            x = change_images(x, seed)
            y = x if reconstructs else y
            x = add_noise(x, augmentation.noise, seed) if augmentation.noise else x
        if config.label_smoothing or config.mixup:
            y = soft_answers(task, y, config.label_smoothing)
        return mix_up((x, y, w), config.mixup, seed) if config.mixup else (x, y, w)

    return change


def _row_reader(split: Split) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
    """Returns the graph function rows int64 (b,) → x, y; where y is x itself, both are one."""
    read_x = _gatherer(split.x)
    if split.y is split.x:
        return lambda rows: (read_x(rows),) * 2
    read_y = _gatherer(split.y)
    return lambda rows: (read_x(rows), read_y(rows))


def _gatherer(samples: Samples) -> Callable[[tf.Tensor], tf.Tensor]:
    import tensorflow as tf

    if isinstance(samples, np.ndarray):
        constant = tf.constant(samples)
        return lambda rows: tf.gather(constant, rows)
    dtype, shape = tf.as_dtype(samples.dtype), (None, *samples.shape[1:])

    def read(rows: tf.Tensor) -> tf.Tensor:
        found = tf.numpy_function(lambda r: samples[r], [rows], dtype, stateful=False)
        return tf.ensure_shape(found, shape)

    return read


def _parallel(split: Split) -> dict[str, Any]:
    """Samples that are read from files are read by several threads; the order stays."""
    import tensorflow as tf

    if isinstance(split.x, np.ndarray):
        return {}
    return {"num_parallel_calls": tf.data.AUTOTUNE, "deterministic": True}


def _prefetched(split: Split, batch_size: int) -> int:
    """Returns how many batches to hold ready: up to PREFETCHED_BATCHES, within PREFETCHED_BYTES."""
    sample_bytes = math.prod(split.x.shape[1:]) * np.dtype(split.x.dtype).itemsize
    batch_bytes = max(sample_bytes * min(batch_size, len(split)), 1)
    return min(max(PREFETCHED_BYTES // batch_bytes, 1), PREFETCHED_BATCHES)


def _count(split: Split, batch_size: int) -> tuple[int, int]:
    n = len(split)
    if n == 0:
        raise DataError("received a split without samples; batches need at least one")
    if batch_size < 1:
        raise ValueError(f"received batch_size {batch_size}; expected at least 1")
    return n, steps_per_epoch(n, batch_size)
