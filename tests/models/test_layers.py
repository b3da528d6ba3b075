from __future__ import annotations

import numpy as np
import pytest

from pipeline.models import layers
from tests.models.conftest import model_config


def test_no_penalty_without_factors() -> None:
    assert layers.regularizer(model_config("mlp")) is None


@pytest.mark.parametrize(("l1", "l2"), [(0.5, 0.0), (0.0, 0.5), (0.25, 0.5)])
def test_penalty_by_hand(l1: float, l2: float) -> None:
    penalty = layers.regularizer(model_config("mlp", l1=l1, l2=l2))
    assert penalty is not None
    assert float(penalty(np.array([1.0, -3.0], np.float32))) == l1 * 4 + l2 * 10


def test_flatten_leaves_vectors_alone() -> None:
    import keras

    vector = keras.Input((4,))
    assert layers.flatten(vector) is vector
    assert layers.flatten(keras.Input((2, 3))).shape == (None, 6)


def test_dropout_of_rate_zero_is_no_layer() -> None:
    import keras

    x = keras.Input((4,))
    assert layers.dropout(x, model_config("mlp"), "d") is x
    assert layers.dropout(x, model_config("mlp", dropout=0.5), "d") is not x


@pytest.mark.parametrize("activation", [None, "relu"])
def test_normalization_stands_between_kernel_and_activation(activation: str | None) -> None:
    import keras

    x = keras.Input((4, 4, 1))
    config = model_config("small_cnn", normalization="batch")
    y = layers.convolution(x, config, 2, 3, "conv", padding="valid", activation=activation)
    names = [layer.name for layer in keras.Model(x, y).layers[1:]]
    assert y.shape == (None, 2, 2, 2)
    assert keras.Model(x, y).get_layer("conv_normalization").momentum == layers.MOMENTUM
    assert names == ["conv", "conv_normalization"] + ["conv_activation"] * (activation is not None)


def test_depthwise_keeps_its_channels() -> None:
    import keras

    y = layers.depthwise(keras.Input((4, 4, 3)), model_config("ds_cnn"), 3, "depthwise")
    assert y.shape == (None, 4, 4, 3)


def test_the_converter_still_leaves_layer_normalization_in_float() -> None:
    """The day this fails, bridge/integer_forms.py need not write it with other operators."""
    import keras
    import tensorflow as tf

    model = keras.Sequential([keras.Input((6,), batch_size=1), keras.layers.LayerNormalization()])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    samples = np.random.default_rng(0).normal(size=(20, 1, 6)).astype(np.float32)
    converter.representative_dataset = lambda: ([sample] for sample in samples)
    converter.inference_input_type = converter.inference_output_type = tf.int8
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    assert np.float32 in {tensor["dtype"] for tensor in interpreter.get_tensor_details()}
