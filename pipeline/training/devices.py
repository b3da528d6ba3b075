"""Training on several devices at once: each takes a part of every batch (MirroredStrategy)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pipeline.errors import ConfigError
from pipeline.training.state import read_weights, write_weights

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from pipeline.training.accumulation import Differentiate


def choose_devices(wanted: int | Literal["all"]) -> list[str]:
    """Returns the devices to train on: GPUs, or CPUs where there are none.

    Args:
        wanted: how many, or "all" there are.

    Raises:
        ConfigError: this machine has fewer.
    """
    import tensorflow as tf

    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    present = [device.name for device in tf.config.list_logical_devices(kind)]
    count = len(present) if wanted == "all" else wanted
    if count > len(present):
        raise ConfigError(
            f"train.devices: asked for {count} devices, this machine has {len(present)} ({kind}); "
            "use train.devices: all, or 1"
        )
    return present[:count]


def describe_devices(wanted: int | Literal["all"]) -> str | None:
    """Says on what a training ran, where it was asked for more than one device."""
    if wanted == 1:
        return None
    devices = choose_devices(wanted)
    kind = devices[0].split(":")[-2]  # "/device:CPU:0"
    if len(devices) == 1:
        return (
            f"train.devices {wanted}: this machine has one device ({kind}), so nothing was shared"
        )
    return f"each batch was shared by {len(devices)} devices ({kind})"


def check_batches(samples: int, batch_size: int, devices: int) -> None:
    """Refuses batches that leave a device without a sample.

    Args:
        samples: in the training split.
        batch_size: of the whole batch.
        devices: number of devices.

    Raises:
        ConfigError: naming the batch that is too small.
    """
    last = samples % batch_size
    smallest = min(batch_size, samples, last or batch_size)
    if smallest < devices:
        raise ConfigError(
            f"train.batch_size: {batch_size} leaves batches of {smallest} of {samples} samples, "
            f"fewer than the {devices} devices; choose another batch size"
        )


@contextmanager
def replicated(model: keras.Model, devices: list[str]) -> Iterator[keras.Model]:
    """Yields a copy of a model on every device, and brings its weights back at the end.

    Args:
        model: built; on return it holds the weights of the copy.
        devices: from `choose_devices`; with one of them the model itself is yielded.
    """
    import keras
    import tensorflow as tf

    if len(devices) == 1:
        yield model
        return
    with tf.distribute.MirroredStrategy(devices).scope():
        copy = keras.models.clone_model(model)
        write_weights(copy, read_weights(model))
        yield copy
    write_weights(model, read_weights(copy))


def spread_over_devices(differentiate: Differentiate) -> Differentiate:
    """Lets every device differentiate its part of a batch, and sums up what they found.

    On one device nothing changes. On several the result is that of the whole batch: each part
    counts by its samples, before any clipping. Only BatchNormalization sees its part alone, and
    its moving statistics are averaged over the devices.

    Args:
        differentiate: a batch → gradients, and (mean loss, objective, sum of the metric, samples).
    """
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    count = strategy.num_replicas_in_sync
    if count == 1:
        return differentiate

    def part(batch: tuple[tf.Tensor, ...]) -> tuple[list[Any], tf.Tensor]:
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        gradients, found = differentiate(tuple(tensor[number::count] for tensor in batch))
        samples = found[3]
        weighted = [
            None if gradient is None else samples * tf.convert_to_tensor(gradient)
            for gradient in gradients
        ]
        return weighted, found * tf.stack([samples, samples, 1.0, 1.0])

    def whole(batch: tuple[tf.Tensor, ...]) -> tuple[list[Any], tf.Tensor]:
        gradients, found = strategy.run(part, args=(batch,))
        total = _sum(strategy, found)
        samples = total[3]
        summed = [
            None if gradient is None else _sum(strategy, gradient) / samples
            for gradient in gradients
        ]
        return summed, total / tf.stack([samples, samples, 1.0, 1.0])

    return whole


def applier(optimizer: keras.optimizers.Optimizer) -> Callable[[list[Any], list[Any]], None]:
    """Returns (gradients of the whole batch, weights) → None, an update on every device.

    Keras 3's optimizers apply gradients from within a device only, and add up those of all
    devices after clipping each (keras 3.15.1); here they are added up already, before clipping,
    as on one device. So its own addition is taken out of this optimizer.
    """
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return optimizer.apply
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # behind the scaling of float16
    inner._all_reduce_sum_gradients = lambda pairs: pairs

    def apply(gradients: list[Any], weights: list[Any]) -> None:
        strategy.run(lambda own: optimizer.apply(own, weights), args=(gradients,))

    return apply


def _sum(strategy: tf.distribute.Strategy, value: Any) -> tf.Tensor:
    import tensorflow as tf

    return strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
