"""The training step in a graph: many steps to a call, each one's loss and rate recorded.

Why not `model.fit`: on an MLP of 4,800 parameters and 1,300 samples (30 epochs of 41 steps,
2 loaded cores) plain `model.fit` took 14 s, `model.fit` with steps_per_execution=41 took 8 s,
this loop 3.3 s; and only here can the figures of every single step be recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.tasks.losses import losses, scores
from pipeline.tasks.task import Task
from pipeline.training.accumulation import accumulate
from pipeline.training.devices import applier, spread_over_devices

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from pipeline.training.averaging import WeightAverage
    from pipeline.training.learner import Learner

# A call returns to Python after about this long, so that Ctrl-C is heard.
SECONDS_PER_CALL = 0.5
FIRST_CALL_STEPS = 32

StepFunction = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True)
class StepRecord:
    """What the steps of one epoch reported, in order, each float32 (steps,).

    A step is an update of the weights: of one batch, or of several that are accumulated.

    Attributes:
        losses: mean loss of the step's samples, without weights, penalties and teacher.
        objectives: what was minimized: the weighted loss, the teacher in it, plus penalties.
        scores: the sum of the metric over the step's samples.
        samples: their number.
        rates: the learning rate that the optimizer used.
    """

    losses: np.ndarray
    objectives: np.ndarray
    scores: np.ndarray
    samples: np.ndarray
    rates: np.ndarray


def training_function(
    learner: Learner,
    optimizer: keras.optimizers.Optimizer,
    task: Task,
    rates: tf.Variable,
    step_batches: np.ndarray,
    average: WeightAverage | None = None,
) -> StepFunction:
    """Makes the graph function (iterator, first step, steps) → float32 (steps, 5).

    Args:
        learner: its model gives outputs (batch, …) as the task has them; what its teacher says
            of a batch comes fourth in it and after.
        optimizer: built for learner.weights.
        task: gives the loss and the metric.
        rates: float32 (steps of the training,), the learning rate of each.
        step_batches: int32 (steps of an epoch,), how many batches each of them takes.
        average: of the weights, updated after them.

    Returns:
        A function whose rows are the fields of StepRecord.
    """
    import tensorflow as tf

    model, weights = learner.model, learner.weights
    raw_weights = [variable.value for variable in weights]
    batches = tf.constant(step_batches)

    def differentiate(batch: Any) -> tuple[list[Any], tf.Tensor]:
        x, y, sample_weights, *taught = batch
        with tf.GradientTape() as tape:
            outputs, features = learner(x)
            sample_losses = losses(task, outputs, y)
            learned = learner.learned(task, outputs, features, sample_losses, taught)
            weighted = tf.reduce_mean(sample_weights * learned)
            objective = tf.add_n([weighted, *model.losses])
            scaled = optimizer.scale_loss(objective)  # the same number, but for float16
        gradients = tape.gradient(scaled, raw_weights)
        score, samples = tf.reduce_sum(scores(task, outputs, y)), tf.size(sample_weights)
        figures = [tf.reduce_mean(sample_losses), objective, score, tf.cast(samples, tf.float32)]
        return gradients, tf.stack(figures)

    differentiate_whole, apply = spread_over_devices(differentiate), applier(optimizer)

    def update(iterator: Any, step: tf.Tensor) -> tf.Tensor:
        optimizer.learning_rate.assign(tf.gather(rates, step))
        if step_batches.max() == 1:
            gradients, figures = differentiate_whole(iterator.get_next())
        else:
            count = tf.gather(batches, step % len(step_batches))
            gradients, figures = accumulate(
                differentiate_whole, iterator.get_next, count, raw_weights
            )
        apply(gradients, weights)
        if average is not None:
            average.update()
        return tf.concat([figures, [tf.cast(optimizer.learning_rate, tf.float32)]], axis=0)

    @tf.function(jit_compile=False)
    def run_steps(iterator: Any, first: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        rows = tf.TensorArray(tf.float32, steps, element_shape=(5,))
        for number in tf.range(steps):
            rows = rows.write(number, update(iterator, first + tf.cast(number, tf.int64)))
        return rows.stack()

    return run_steps


class EpochRunner:
    """Runs epochs in calls of as many steps as fit into SECONDS_PER_CALL.

    The split into calls changes no figure: batches, steps and records are the same.
    """

    def __init__(self, function: StepFunction, batches: Iterator[Any]) -> None:
        """Takes the graph function and the batches of all epochs to run, back to back."""
        self._function = function
        self._batches = batches
        self._steps_per_call = FIRST_CALL_STEPS

    def run(self, first: int, steps: int) -> StepRecord:
        """Runs the steps of one epoch and returns what each of them reported.

        Args:
            first: number of the first step, counted from the start of the training.
            steps: their number, 1 or more.
        """
        import tensorflow as tf

        parts: list[np.ndarray] = []
        done = 0
        while done < steps:
            count = min(self._steps_per_call, steps - done)
            began = time.perf_counter()
            step = tf.constant(first + done, tf.int64)
            rows = self._function(self._batches, step, tf.constant(count))
            parts.append(np.asarray(rows))
            self._adapt(time.perf_counter() - began, count)
            done += count
        return StepRecord(*np.concatenate(parts).T)

    def _adapt(self, seconds: float, steps: int) -> None:
        if steps == self._steps_per_call and seconds < SECONDS_PER_CALL / 2:
            self._steps_per_call *= 2
        elif seconds > 2 * SECONDS_PER_CALL:
            self._steps_per_call = max(self._steps_per_call // 2, 1)
