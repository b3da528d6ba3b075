"""Training steps in tf_keras, many of them compiled into one TensorFlow call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.start import without_autograph
from pipeline.tasks.losses import losses, scores
from pipeline.tasks.task import Task
from pipeline.training.accumulation import accumulate

if TYPE_CHECKING:
    import tensorflow as tf

    from pipeline.training.averaging import WeightAverage
    from pipeline.training.learner import Learner


def _nothing(*arguments: Any) -> None:
    return None


@dataclass(frozen=True)
class StepHooks:
    """What a stage adds to the training step. The first two run inside the graph.

    Attributes:
        before: called with the step's number (int64 scalar, from 0) before the forward pass.
        after: called after the optimizer's update.
        epoch_end: called in Python after the last step of an epoch, before validation.
        target_sparsity: from the step's number to what is recorded; None records nothing.
        first_candidate: the first epoch (from 0) whose weights may be the result.
    """

    before: Callable[[tf.Tensor], Any] = _nothing
    after: Callable[[], Any] = _nothing
    epoch_end: Callable[[], None] = _nothing
    target_sparsity: Callable[[tf.Tensor], tf.Tensor] | None = None
    first_candidate: int = 0


def build_loop(
    learner: Learner,
    optimizer: Any,
    rates: tf.Variable,
    hooks: StepHooks,
    task: Task,
    step_batches: np.ndarray,
    average: WeightAverage | None = None,
) -> Callable[..., tf.Tensor]:
    """Compiles training steps into one call; a step is an update of the weights.

    Args:
        learner: its model, of tf_keras, gives outputs (batch, …) as the task has them; what its
            teacher says of a batch comes fourth in it and after.
        optimizer: built for learner.weights.
        rates: float32 (steps of the training,), the learning rate of each.
        hooks: what the stage adds.
        task: gives the loss and the metric.
        step_batches: int32 (steps of an epoch,), how many batches each of them takes.
        average: of the weights, updated after them and after hooks.after.

    Returns:
        (iterator, first step, count) → float32 (count, 5 or 6): mean loss, objective, sum of the
        metric over the samples, samples, learning rate and, where recorded, target sparsity of
        each step.
    """
    import tensorflow as tf

    model, variables = learner.model, learner.weights
    batches = tf.constant(step_batches)

    def differentiate(batch: tuple[tf.Tensor, ...]) -> tuple[list[Any], tf.Tensor]:
        x, y, sample_weights, *taught = batch
        with tf.GradientTape() as tape:
            outputs, features = learner(x)
            sample_losses = losses(task, outputs, y)
            learned = learner.learned(task, outputs, features, sample_losses, taught)
            weighted = tf.reduce_mean(sample_weights * learned)
            objective = tf.add_n([weighted, *model.losses])
        gradients = tape.gradient(objective, variables)
        score, samples = tf.reduce_sum(scores(task, outputs, y)), tf.size(sample_weights)
        figures = [tf.reduce_mean(sample_losses), objective, score, tf.cast(samples, tf.float32)]
        return gradients, tf.stack(figures)

    def one_step(iterator: Any, step: tf.Tensor) -> tf.Tensor:
        optimizer.learning_rate.assign(tf.gather(rates, step))
        hooks.before(step)
        if step_batches.max() == 1:
            gradients, figures = differentiate(iterator.get_next())
        else:
            taken = tf.gather(batches, step % len(step_batches))
            gradients, figures = accumulate(differentiate, iterator.get_next, taken, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        hooks.after()
        if average is not None:
            average.update()
        acted = [tf.convert_to_tensor(optimizer.learning_rate)]
        if hooks.target_sparsity is not None:
            acted.append(hooks.target_sparsity(step))
        return tf.concat([figures, tf.stack(acted)], axis=0)

    width = 5 + (hooks.target_sparsity is not None)

    def run_steps(iterator: Any, first: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        def body(number: tf.Tensor, rows: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            row = one_step(iterator, first + tf.cast(number, tf.int64))
            return number + 1, rows.write(number, row)

        rows = tf.TensorArray(tf.float32, count, element_shape=(width,))
        zero = tf.constant(0)
        return tf.while_loop(lambda number, _: number < count, body, (zero, rows))[1].stack()

    return tf.function(without_autograph(run_steps), autograph=False)
