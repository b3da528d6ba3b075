"""Every row of the table: built, crossed, weights copied, outputs equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.layers import carry_over, check_precision
from pipeline.bridge.layers_table import LAYERS, NoCounterpart
from pipeline.bridge.proof import relative_difference
from pipeline.errors import ConfigError

LINE, IMAGE, VOLUME = (12, 4), (8, 8, 4), (6, 6, 6, 2)
# class name → (input shapes, arguments)
EXAMPLES: dict[str, tuple[list[tuple[int, ...]], dict[str, Any]]] = {
    "Dense": ([(5,)], {"units": 3, "activation": "gelu"}),
    "Conv1D": ([LINE], {"filters": 3, "kernel_size": 3, "padding": "causal", "dilation_rate": 2}),
    "Conv2D": ([IMAGE], {"filters": 6, "kernel_size": 3, "strides": 2, "groups": 2}),
    "Conv3D": ([VOLUME], {"filters": 3, "kernel_size": 2}),
    "Conv1DTranspose": ([LINE], {"filters": 3, "kernel_size": 3, "strides": 2}),
    "Conv2DTranspose": (
        [IMAGE], {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"},
    ),
    "DepthwiseConv1D": ([LINE], {"kernel_size": 3, "depth_multiplier": 2}),
    "DepthwiseConv2D": ([IMAGE], {"kernel_size": 3, "depth_multiplier": 2}),
    "SeparableConv1D": ([LINE], {"filters": 3, "kernel_size": 3}),
    "SeparableConv2D": ([IMAGE], {"filters": 3, "kernel_size": 3, "use_bias": False}),
    "Embedding": ([(6,)], {"input_dim": 9, "output_dim": 3}),
    "BatchNormalization": ([IMAGE], {"epsilon": 1e-2}),
    "LayerNormalization": ([LINE], {}),
    "GroupNormalization": ([IMAGE], {"groups": 2}),
    "UnitNormalization": ([LINE], {}),
    "Normalization": ([(3,)], {"mean": [1.0, 2.0, 3.0], "variance": [4.0, 1.0, 0.25]}),
    "Rescaling": ([IMAGE], {"scale": 0.5, "offset": -1.0}),
    "Activation": ([LINE], {"activation": "hard_sigmoid"}),
    "ReLU": ([LINE], {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}),
    "LeakyReLU": ([LINE], {"negative_slope": 0.2}),
    "PReLU": ([IMAGE], {"alpha_initializer": "uniform", "shared_axes": [1, 2]}),
    "ELU": ([LINE], {"alpha": 0.7}),
    "Softmax": ([LINE], {"axis": 1}),
    "MaxPooling1D": ([LINE], {"pool_size": 2}),
    "MaxPooling2D": ([IMAGE], {"pool_size": 3, "strides": 2, "padding": "same"}),
    "MaxPooling3D": ([VOLUME], {"pool_size": 2}),
    "AveragePooling1D": ([LINE], {"pool_size": 2}),
    "AveragePooling2D": ([IMAGE], {"pool_size": 2}),
    "AveragePooling3D": ([VOLUME], {"pool_size": 2}),
    "GlobalMaxPooling1D": ([LINE], {}),
    "GlobalMaxPooling2D": ([IMAGE], {"keepdims": True}),
    "GlobalMaxPooling3D": ([VOLUME], {}),
    "GlobalAveragePooling1D": ([LINE], {}),
    "GlobalAveragePooling2D": ([IMAGE], {}),
    "GlobalAveragePooling3D": ([VOLUME], {}),
    "Flatten": ([IMAGE], {}),
    "Reshape": ([LINE], {"target_shape": (4, -1)}),
    "Permute": ([LINE], {"dims": (2, 1)}),
    "RepeatVector": ([(5,)], {"n": 3}),
    "ZeroPadding1D": ([LINE], {"padding": (1, 2)}),
    "ZeroPadding2D": ([IMAGE], {"padding": ((0, 1), (2, 0))}),
    "ZeroPadding3D": ([VOLUME], {"padding": 1}),
    "Cropping1D": ([LINE], {"cropping": (1, 2)}),
    "Cropping2D": ([IMAGE], {"cropping": ((0, 1), (2, 0))}),
    "UpSampling1D": ([LINE], {"size": 2}),
    "UpSampling2D": ([IMAGE], {"size": 2, "interpolation": "bilinear"}),
    "Identity": ([LINE], {}),
    "Masking": ([LINE], {"mask_value": 0.0}),
    "Dropout": ([LINE], {"rate": 0.5}),
    "AlphaDropout": ([LINE], {"rate": 0.5}),
    "SpatialDropout1D": ([LINE], {"rate": 0.5}),
    "SpatialDropout2D": ([IMAGE], {"rate": 0.5}),
    "GaussianNoise": ([LINE], {"stddev": 0.5}),
    "GaussianDropout": ([LINE], {"rate": 0.5}),
    "Add": ([LINE, LINE], {}),
    "Subtract": ([LINE, LINE], {}),
    "Multiply": ([LINE, LINE], {}),
    "Average": ([LINE, LINE], {}),
    "Maximum": ([LINE, LINE], {}),
    "Minimum": ([LINE, LINE], {}),
    "Concatenate": ([LINE, LINE], {"axis": 1}),
    "Dot": ([LINE, LINE], {"axes": 2, "normalize": True}),
    "Conv3DTranspose": ([VOLUME], {"filters": 3, "kernel_size": 2}),
    "Cropping3D": ([VOLUME], {"cropping": 1}),
    "UpSampling3D": ([VOLUME], {"size": 2}),
    "SpatialDropout3D": ([VOLUME], {"rate": 0.5}),
    "Bidirectional": (
        [LINE],
        {"layer": ("LSTM", {"units": 3, "recurrent_activation": "hard_sigmoid"}),
         "merge_mode": "sum"},
    ),
    "TimeDistributed": ([LINE], {"layer": ("Dense", {"units": 3})}),
    "SimpleRNN": ([LINE], {"units": 3}),
    "LSTM": ([LINE], {"units": 3, "return_sequences": True, "go_backwards": True}),
    "GRU": ([LINE], {"units": 3, "reset_after": False}),
}  # fmt: skip


def test_every_row_has_an_example() -> None:
    assert set(EXAMPLES) == set(LAYERS)


@pytest.mark.parametrize("class_name", LAYERS)
def test_a_layer_crosses_and_computes_the_same(class_name: str) -> None:
    import keras

    shapes, arguments = EXAMPLES[class_name]
    inputs = [keras.Input(shape) for shape in shapes]
    if "layer" in arguments:
        inner, settings = arguments["layer"]
        arguments = {**arguments, "layer": getattr(keras.layers, inner)(**settings)}
    layer = getattr(keras.layers, class_name)(**arguments, name="subject")
    outputs = layer(inputs if len(inputs) > 1 else inputs[0])
    model = keras.Model(inputs, outputs)
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.uniform(0.1, 1.0, weight.shape))
    samples: Any = [rng.normal(size=(5, *shape)).astype(np.float32) for shape in shapes]
    if class_name == "Embedding":
        samples = [rng.integers(0, 9, (5, *shape)).astype(np.float32) for shape in shapes]
    samples = samples if len(samples) > 1 else samples[0]
    crossed = to_tf_keras(model)
    assert type(crossed.get_layer("subject")).__name__ == class_name
    expected, received = np.asarray(model(samples)), crossed(samples).numpy()
    assert relative_difference(expected, received) < 1e-5


def test_an_adapted_normalization_crosses_with_its_statistics() -> None:
    import keras

    x = np.random.default_rng(0).normal(3.0, 2.0, (50, 3)).astype(np.float32)
    layer = keras.layers.Normalization(name="norm")
    layer.adapt(x)
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_allclose(to_tf_keras(model)(x), model(x), atol=1e-6)


def test_penalties_constraints_and_trainability_cross() -> None:
    import keras

    layer = keras.layers.Dense(
        2, kernel_regularizer=keras.regularizers.L1L2(0.5, 0.25), bias_regularizer="l2",
        kernel_constraint=keras.constraints.MaxNorm(1.5), name="d",
    )  # fmt: skip
    layer.trainable = False
    crossed = carry_over(layer, "d", 0)
    kernel = np.float32([[1.0, -2.0]])
    assert float(crossed.kernel_regularizer(kernel)) == pytest.approx(0.5 * 3 + 0.25 * 5)
    assert type(crossed.bias_regularizer).__name__ == "L2"
    assert crossed.kernel_constraint.max_value == 1.5
    assert crossed.trainable is False


def test_dropout_gets_the_given_seed() -> None:
    import keras

    assert carry_over(keras.layers.Dropout(0.5, seed=1), "drop", 77).seed == 77


def _without_counterpart() -> list[tuple[str, dict[str, Any], str]]:
    return [
        ("BatchNormalization", {"renorm": True}, "setting 'renorm' = True, expected False"),
        ("LayerNormalization", {"rms_scaling": True}, "setting 'rms_scaling' = True"),
        ("ZeroPadding1D", {"data_format": "channels_first"}, "'data_format' = 'channels_first'"),
        ("Dense", {"units": 2, "activity_regularizer": "l2"}, "setting 'activity_regularizer'"),
        ("Dense", {"units": 2, "kernel_regularizer": "orthogonal_regularizer"}, "Orthogonal"),
        ("RMSNormalization", {}, "no tf_keras layer stands for RMSNormalization"),
    ]


@pytest.mark.parametrize(("class_name", "arguments", "words"), _without_counterpart())
def test_what_has_no_counterpart_is_told(
    class_name: str, arguments: dict[str, Any], words: str
) -> None:
    import keras

    layer = getattr(keras.layers, class_name)(**arguments, name="odd")
    with pytest.raises(NoCounterpart, match=words):
        carry_over(layer, "odd", 0)


def test_a_users_own_layer_has_no_counterpart_even_under_a_known_name() -> None:
    import keras

    class Dense(keras.layers.Layer):
        """Not Keras's."""

    with pytest.raises(NoCounterpart, match=r"stands for tests\.bridge\.test_layers\.Dense"):
        carry_over(Dense(name="mine"), "mine", 0)


def test_an_unknown_setting_has_no_counterpart(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    layer = keras.layers.ReLU(name="r")
    monkeypatch.setattr(layer, "get_config", lambda: {"slope_of_tomorrow": 2})
    with pytest.raises(NoCounterpart, match="setting 'slope_of_tomorrow' = 2 is not known"):
        carry_over(layer, "r", 0)


def test_another_float_than_float32_is_refused_inside_of_a_layer_too() -> None:
    import keras

    inner = keras.layers.Dense(2, dtype="mixed_float16")
    layer = keras.layers.TimeDistributed(inner, name="odd")
    with pytest.raises(ConfigError, match="layer 'odd' computes in float16; prune and qat need"):
        check_precision(layer, "odd")
