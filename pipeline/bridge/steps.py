"""Training steps in tf_keras, many of them compiled into one TensorFlow call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.start import without_autograph

if TYPE_CHECKING:
    import tensorflow as tf
    import tf_keras


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
    model: tf_keras.Model, optimizer: Any, rates: np.ndarray, hooks: StepHooks
) -> Callable[..., tf.Tensor]:
    """Compiles `count` training steps into one call.

    Returns:
        (iterator, first step, count) → float32 (count, 4 or 5): cross-entropy, correct predictions,
        samples, learning rate and, where recorded, target sparsity of each step.
    """
    import tensorflow as tf

    table = tf.constant(rates)
    variables = model.trainable_variables

    def one_step(x: tf.Tensor, y: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        optimizer.learning_rate.assign(tf.gather(table, step))
        hooks.before(step)
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
            loss = tf.reduce_mean(losses)
            objective = tf.add_n([loss, *model.losses])
        gradients = tape.gradient(objective, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        hooks.after()
        correct = tf.reduce_sum(tf.cast(tf.argmax(logits, 1) == y, tf.float32))
        # Without penalties, to compare with validation; but an endless penalty must show.
        shown = tf.where(tf.math.is_finite(objective), loss, objective)
        figures = [shown, correct, tf.cast(tf.shape(y)[0], tf.float32), optimizer.learning_rate]
        if hooks.target_sparsity is not None:
            figures.append(hooks.target_sparsity(step))
        return tf.stack(figures)

    width = 4 + (hooks.target_sparsity is not None)

    def run_steps(iterator: Any, first: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        def body(number: tf.Tensor, figures: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            x, y = iterator.get_next()
            row = one_step(x, y, first + tf.cast(number, tf.int64))
            return number + 1, figures.write(number, row)

        figures = tf.TensorArray(tf.float32, count, element_shape=(width,))
        zero = tf.constant(0)
        return tf.while_loop(lambda number, _: number < count, body, (zero, figures))[1].stack()

    return tf.function(without_autograph(run_steps), autograph=False)
