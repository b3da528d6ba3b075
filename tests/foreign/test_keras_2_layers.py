"""Each layer of Keras 2 reads as the Keras 3 layer that computes the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipeline.foreign.keras_2_layers import translate_activation, translate_layer
from pipeline.foreign.live import from_live
from pipeline.foreign.values import Refusal
from tests.foreign.foreign_models import assert_same_outputs, tf_keras, with_signal

STEPS, IMAGE, VOLUME = (8, 4), (6, 6, 4), (4, 4, 4, 3)
# Input shape → how a layer is made of tf_keras's layers `l`.
LAYERS: dict[tuple[int, ...], list[Callable[[Any], Any]]] = {
    STEPS: [
        lambda ly: ly.Conv1D(4, 2, groups=2, dilation_rate=2),
        lambda ly: ly.Conv1DTranspose(3, 2),
        lambda ly: ly.DepthwiseConv1D(2),
        lambda ly: ly.SeparableConv1D(3, 2, depthwise_regularizer="l2"),
        lambda ly: ly.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"),
        lambda ly: ly.LSTM(3, return_sequences=True, go_backwards=True),
        lambda ly: ly.GRU(3, reset_after=True),
        lambda ly: ly.GRU(3, reset_after=False, unroll=True),
        lambda ly: ly.SimpleRNN(3, activation="relu"),
        lambda ly: ly.RNN(ly.StackedRNNCells([ly.LSTMCell(3), ly.GRUCell(2)]),
                          return_sequences=True),
        lambda ly: ly.Bidirectional(ly.GRU(2), merge_mode="sum", backward_layer=ly.GRU(
            2, go_backwards=True)),
        lambda ly: ly.TimeDistributed(ly.BatchNormalization()),
        lambda ly: ly.LayerNormalization(axis=[1, 2]),
        lambda ly: ly.AveragePooling1D(2),
        lambda ly: ly.MaxPooling1D(2),
        lambda ly: ly.GlobalAveragePooling1D(keepdims=True),
        lambda ly: ly.GlobalMaxPooling1D(),
        lambda ly: ly.Cropping1D(1),
        lambda ly: ly.UpSampling1D(2),
        lambda ly: ly.ZeroPadding1D(1),
        lambda ly: ly.Permute((2, 1)),
        lambda ly: ly.Reshape((2, 16)),
        lambda ly: ly.Masking(0.0),
        lambda ly: ly.SpatialDropout1D(0.1),
        lambda ly: ly.GaussianNoise(0.1),
        lambda ly: ly.GaussianDropout(0.1),
        lambda ly: ly.AlphaDropout(0.1),
        lambda ly: ly.Dropout(0.1, noise_shape=(None, 1, 4)),
        lambda ly: ly.ActivityRegularization(l2=0.1),
        lambda ly: ly.Softmax(axis=1),
        lambda ly: ly.ELU(0.5),
        lambda ly: ly.PReLU(shared_axes=[1]),
        lambda ly: ly.ThresholdedReLU(0.3),
        lambda ly: ly.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2),
        lambda ly: ly.UnitNormalization(),
        *[lambda ly, name=name: ly.Activation(name) for name in (
            "elu", "exponential", "gelu", "linear", "mish", "relu", "selu", "sigmoid", "softmax",
            "softplus", "softsign", "swish", "tanh")],
    ],
    IMAGE: [
        lambda ly: ly.Conv2D(4, 3, groups=2, strides=2, kernel_constraint="max_norm"),
        lambda ly: ly.Conv2DTranspose(3, 3, strides=2, output_padding=1, padding="same"),
        lambda ly: ly.DepthwiseConv2D(3, depth_multiplier=2, depthwise_regularizer="l1_l2"),
        lambda ly: ly.SeparableConv2D(3, 3, bias_regularizer="l1"),
        lambda ly: ly.BatchNormalization(axis=1, scale=False),
        lambda ly: ly.BatchNormalization(synchronized=True),
        lambda ly: ly.GroupNormalization(2),
        lambda ly: ly.LayerNormalization(epsilon=1e-2),
        lambda ly: ly.Normalization(axis=-1),
        lambda ly: ly.Normalization(mean=[1.0, 2, 3, 4], variance=[1.0, 2, 1, 2]),
        lambda ly: ly.Rescaling(1 / 3, offset=-1),
        lambda ly: ly.Resizing(4, 5),
        lambda ly: ly.CenterCrop(4, 4),
        lambda ly: ly.RandomFlip("horizontal", seed=1),
        lambda ly: ly.RandomRotation(0.1),
        lambda ly: ly.RandomZoom(0.1),
        lambda ly: ly.RandomContrast(0.1),
        lambda ly: ly.RandomTranslation(0.1, 0.1),
        lambda ly: ly.AveragePooling2D(2, padding="same"),
        lambda ly: ly.MaxPooling2D(3, strides=1),
        lambda ly: ly.GlobalAveragePooling2D(),
        lambda ly: ly.GlobalMaxPooling2D(keepdims=True),
        lambda ly: ly.Cropping2D(((1, 0), (0, 1))),
        lambda ly: ly.UpSampling2D(2, interpolation="bilinear"),
        lambda ly: ly.ZeroPadding2D(((1, 0), (0, 1))),
        lambda ly: ly.Flatten(),
        lambda ly: ly.SpatialDropout2D(0.1),
        lambda ly: ly.Dense(3, activation=ly.LeakyReLU(0.1)),
        lambda ly: ly.TimeDistributed(ly.Conv1D(2, 2)),
    ],
    VOLUME: [
        lambda ly: ly.Conv3D(2, 2),
        lambda ly: ly.Conv3DTranspose(2, 2),
        lambda ly: ly.AveragePooling3D(2),
        lambda ly: ly.GlobalMaxPooling3D(),
        lambda ly: ly.UpSampling3D(2),
        lambda ly: ly.ZeroPadding3D(1),
        lambda ly: ly.ConvLSTM2D(2, 2, recurrent_activation="sigmoid"),
        lambda ly: ly.SpatialDropout3D(0.1),
    ],
}  # fmt: skip
SEVERAL: list[Callable[[Any, Any, Any], Any]] = [
    lambda ly, x, y: ly.Add()([x, y]),
    lambda ly, x, y: ly.Subtract()([x, y]),
    lambda ly, x, y: ly.Multiply()([x, y]),
    lambda ly, x, y: ly.Average()([x, y]),
    lambda ly, x, y: ly.Maximum()([x, y]),
    lambda ly, x, y: ly.Minimum()([x, y]),
    lambda ly, x, y: ly.Concatenate(axis=1)([x, y]),
    lambda ly, x, y: ly.Dot(axes=2, normalize=True)([x, y]),
    lambda ly, x, y: ly.Attention(use_scale=True)([x, y]),
    lambda ly, x, y: ly.AdditiveAttention()([x, y]),
    lambda ly, x, y: ly.MultiHeadAttention(2, 3, value_dim=5)(x, value=y),
    lambda ly, x, y: ly.LSTM(4)(x, initial_state=[y[:, 0], y[:, 1]]),
    lambda ly, x, y: ly.GRU(4, return_sequences=True)(x, initial_state=y[:, 0]),
    lambda ly, x, y: ly.Bidirectional(ly.SimpleRNN(4))(x, initial_state=[y[:, 0], y[:, 1]]),
]


@pytest.mark.parametrize("shape", list(LAYERS))
def test_every_layer_computes_the_same(shape: tuple[int, ...]) -> None:
    k = tf_keras()
    for make in LAYERS[shape]:
        inputs = k.Input(shape)
        layer = make(k.layers)
        same(k.Model(inputs, layer(inputs)), type(layer).__name__)


def test_layers_of_several_inputs() -> None:
    k = tf_keras()
    for call in SEVERAL:
        x, y = k.Input(STEPS, name="x"), k.Input(STEPS, name="y")
        made = call(k.layers, x, y)
        same(k.Model([x, y], made), made.node.layer.name)


def same(theirs: Any, name: str) -> None:
    with_signal(theirs)
    for layer in theirs.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    try:
        assert_same_outputs(from_live(theirs).model, theirs)
    except Exception as error:
        raise AssertionError(f"{name}: {error}") from error


def test_an_embedding_with_a_length() -> None:
    k = tf_keras()
    theirs = k.Sequential([k.layers.Embedding(20, 3, input_length=5), k.layers.Flatten()])
    theirs.build((None, 5))
    data = np.arange(10).reshape(2, 5)
    wanted = np.asarray(theirs(data))
    np.testing.assert_array_equal(np.asarray(from_live(theirs).model(data)), wanted)


def test_masks_go_where_they_went() -> None:
    """Steps of padding (token 0) are skipped by recurrent layers, means and attention."""
    k = tf_keras()
    tokens = k.Input((6,), dtype="int32", name="tokens")
    x = k.layers.Embedding(20, 4, mask_zero=True)(tokens)
    both = k.layers.Bidirectional(k.layers.GRU(3, return_sequences=True))(x)
    ends = [
        k.layers.LSTM(3)(x),
        k.layers.GlobalAveragePooling1D()(both),
        k.layers.SimpleRNN(3)(k.layers.TimeDistributed(k.layers.Dense(3))(x)),
        k.layers.GlobalAveragePooling1D()(k.layers.MultiHeadAttention(1, 3)(x, x)),
        k.layers.LSTM(2)(k.layers.Masking(0.0)(k.layers.Dropout(0.1)(x))),
    ]
    theirs = with_signal(k.Model(tokens, k.layers.Concatenate()(ends)))
    data = np.random.default_rng(0).integers(1, 20, (8, 6)).astype("int32")
    data[:4, 3:] = 0
    wanted = np.asarray(theirs(data))
    assert np.median(wanted.std(axis=0)) > 0.05
    np.testing.assert_allclose(np.asarray(from_live(theirs).model(data)), wanted, atol=1e-6)


@pytest.mark.parametrize(
    ("class_name", "settings", "words"),
    [
        (
            "Dense",
            {"units": 2, "colour": 1},
            r"'l' \(Dense\): 'colour' = 1 of Keras 2 is not",
        ),
        (
            "BatchNormalization",
            {"renorm": True},
            "'renorm' = True has no counterpart",
        ),
        ("LSTM", {"units": 2, "time_major": True}, "'time_major' = True has no counterpart"),
        (
            "Conv2DTranspose",
            {"groups": 2},
            "'groups' = 2 has no counterpart",
        ),
        (
            "InputLayer",
            {"ragged": True},
            "'ragged' = True has no counterpart",
        ),
        ("Dense", {"units": 2, "activation": "hard_sigmoid"}, r"hard_sigmoid of Keras 2 is clip\("),
        ("LSTM", {"units": 2, "recurrent_activation": "hard_sigmoid"}, "hard_sigmoid of Keras 2"),
        ("Dense", {"units": 2, "dynamic": True}, "'dynamic' = True has no counterpart"),
    ],
)
def test_settings_without_counterpart(
    class_name: str, settings: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refusal, match=words):
        translate_layer(class_name, {"name": "l", **settings})


def test_settings_that_are_renamed_or_left_out() -> None:
    settings = {
        "name": "l", "alpha": 0.2, "batch_input_shape": [None, 3], "rng_type": "x",
        "dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}},
    }  # fmt: skip
    expected = ("LeakyReLU", {"name": "l", "negative_slope": 0.2, "dtype": "mixed_float16"})
    assert translate_layer("LeakyReLU", settings) == expected
    dense = translate_layer("Dense", {"units": 2, "kernel_initializer": {"class_name": "Odd"}})
    assert dense == ("Dense", {"units": 2})
    for name in ("BatchNormalization", "BatchNormalizationV1", "SyncBatchNormalization"):
        assert translate_layer(name, {"axis": [3]}) == ("BatchNormalization", {"axis": 3})


def test_activations() -> None:
    function = {"class_name": "function", "module": "tensorflow.python.ops.x", "config": "relu6"}
    assert translate_activation(function, "l") == "relu6"
    assert translate_activation("softmax_v2", "l") == "softmax"
    other = {"class_name": "function", "module": "os", "config": "relu"}
    assert translate_activation(other, "l") == other
