"""What a config declares takes no memory before the file's arrays prove it."""

from __future__ import annotations

import importlib
import json
import re
import resource
import time
from typing import Any

import numpy as np
import pytest

from pipeline.errors import UntrustedModelError
from pipeline.foreign import classes
from pipeline.foreign.custom import CustomObjects
from pipeline.foreign.gate import check_config
from pipeline.foreign.rebuild import rebuild
from tests.foreign.foreign_models import assert_same_outputs, with_signal


def sequential(*layers: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    nodes = [("InputLayer", {"batch_shape": [None, 4, 4], "name": "input"}), *layers]
    return {
        "class_name": "Sequential",
        "config": {
            "name": "s",
            "layers": [{"class_name": name, "config": config} for name, config in nodes],
        },
    }


@pytest.fixture(scope="module", autouse=True)
def keras_is_loaded() -> None:
    """Memory and time are those of the rebuilding, not of importing TensorFlow."""
    assert built(sequential(("Flatten", {"name": "f"}))).built


def built(config: dict[str, Any], match: Any = lambda model: {}) -> Any:
    return rebuild(check_config(config, CustomObjects(), "file"), {}, match, "file")


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


GIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "Dense": ("Dense", {"units": 10**12, "name": "d"}),
    "Embedding": ("Embedding", {"input_dim": 10**12, "output_dim": 10**6, "name": "d"}),
    "LSTM": ("LSTM", {"units": 10**9, "unroll": True, "return_sequences": True, "name": "d"}),
    "UpSampling1D": ("UpSampling1D", {"size": 10**9, "name": "d"}),
    "ZeroPadding1D": ("ZeroPadding1D", {"padding": 10**12, "name": "d"}),
    "Conv1D": ("Conv1D", {"filters": 10**10, "kernel_size": 2, "name": "d"}),
}


@pytest.mark.parametrize("name", list(GIANTS))
def test_a_giant_is_refused_at_once_and_takes_no_memory(name: str) -> None:
    built_before, start = peak_bytes(), time.monotonic()
    # What Normalization computes when it is built would take the giant's size.
    config = sequential(GIANTS[name], ("Normalization", {"name": "n"}))
    words = r"layer 'd' makes a tensor of shape \(None, |has no values for s/d/embeddings"
    with pytest.raises(UntrustedModelError, match=words):
        built(config)
    assert time.monotonic() - start < 10
    assert peak_bytes() - built_before < 200e6


def test_an_unrolled_layer_over_many_steps_takes_no_time() -> None:
    start = time.monotonic()
    config = sequential(
        ("UpSampling1D", {"size": 10**6, "name": "up"}),
        ("LSTM", {"units": 2, "unroll": True, "name": "lstm"}),
    )
    with pytest.raises(UntrustedModelError, match="has no values for s/lstm/lstm_cell/kernel,"):
        built(config)
    assert time.monotonic() - start < 10


def test_a_giant_weight_without_a_giant_output() -> None:
    config = sequential(
        ("Reshape", {"target_shape": [16]}),
        ("Embedding", {"input_dim": 10**12, "output_dim": 2, "name": "e"}),
    )
    before = peak_bytes()
    with pytest.raises(UntrustedModelError, match="has no values for s/e/embeddings; the file is"):
        built(config)
    assert peak_bytes() - before < 200e6


def test_the_next_scope_of_anyone_gives_them_no_memory() -> None:
    """Keras keeps a list of the variables without values, and would make them all (3.15.1)."""
    import keras

    config = sequential(("Dense", {"units": 10**12, "name": "d"}))
    with pytest.raises(UntrustedModelError):
        built(config)
    before = peak_bytes()
    with keras.StatelessScope():
        pass
    assert peak_bytes() - before < 200e6


def test_what_keras_cannot_build_is_told_in_one_line() -> None:
    config = sequential(("Dense", {"units": 2, "name": "d", "colour": "red"}))
    with pytest.raises(
        UntrustedModelError, match=r"cannot rebuild it \(.*colour.*\); save it"
    ) as e:
        built(config)
    assert "\n" not in str(e.value)
    odd_seed = sequential(("Dropout", {"rate": 0.1, "seed": False}))
    with pytest.raises(UntrustedModelError, match=r"cannot rebuild it .*mixed types"):
        built(odd_seed)
    alone = {"class_name": "Dense", "config": {"units": 2}}
    with pytest.raises(UntrustedModelError, match="it is a Dense, no model"):
        built(alone)
    unbuilt = {"class_name": "Sequential", "config": {"layers": [alone]}}
    with pytest.raises(UntrustedModelError, match="its input shape is not stated"):
        built(unbuilt)


SETTINGS: dict[str, dict[str, Any]] = {
    "Activation": {"activation": "tanh"},
    "ActivityRegularization": {"l2": 0.1},
    "AlphaDropout": {"rate": 0.1},
    "Attention": {},
    "CategoryEncoding": {"num_tokens": 20, "output_mode": "multi_hot"},
    "CustomScaleLayer": {"scale": 0.5},
    "CenterCrop": {"height": 4, "width": 4},
    "Dense": {"units": 3},
    "Dot": {"axes": -1},
    "Dropout": {"rate": 0.1},
    "EinsumDense": {"equation": "ab...,bc->ac...", "output_shape": [3, None]},
    "Embedding": {"input_dim": 20, "output_dim": 3},
    "GaussianDropout": {"rate": 0.1},
    "GaussianNoise": {"stddev": 0.1},
    "GroupNormalization": {"groups": 2},
    "GroupQueryAttention": {"num_query_heads": 4, "num_key_value_heads": 2, "head_dim": 3},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
    "Normalization": {},
    "Permute": {"dims": [2, 1, 3]},
    "RandomBrightness": {"factor": 0.1},
    "RandomContrast": {"factor": 0.1},
    "RandomCrop": {"height": 4, "width": 4},
    "RandomRotation": {"factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "RandomZoom": {"height_factor": 0.1},
    "RepeatVector": {"n": 3},
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": [-1]},
    "Resizing": {"height": 5, "width": 5},
    "SpatialDropout1D": {"rate": 0.1},
    "SpatialDropout2D": {"rate": 0.1},
    "SpatialDropout3D": {"rate": 0.1},
    "StochasticDepth": {"drop_path_rate": 0.1},
    "LayerScale": {"init_values": 0.1, "projection_dim": 4},
}
SHAPES = {1: (None, 8, 4), 2: (None, 6, 6, 4), 3: (None, 5, 5, 5, 4)}
RANKS = {
    "Embedding": (None, 8), "RepeatVector": (None, 4), "CategoryEncoding": (None, 8),
    "EinsumDense": (None, 8, 4), "LSTM": SHAPES[1], "GRU": SHAPES[1], "SimpleRNN": SHAPES[1],
    "ConvLSTM1D": (None, 3, 8, 2), "ConvLSTM2D": (None, 3, 6, 6, 2),
    "ConvLSTM3D": (None, 3, 5, 5, 5, 2), "GroupQueryAttention": SHAPES[1], "Attention": SHAPES[1],
    "AdditiveAttention": SHAPES[1], "MultiHeadAttention": SHAPES[1], "Dot": SHAPES[1],
}  # fmt: skip
WRAPPED = frozenset({"Bidirectional", "TimeDistributed", "SpectralNormalization", "RNN",
                     "StackedRNNCells", "InputLayer"})  # fmt: skip
CELLS = frozenset({"GRUCell", "LSTMCell", "SimpleRNNCell"})
SEVERAL = frozenset({"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply",
                     "Subtract", "Attention", "AdditiveAttention",
                     "CustomScaleLayer"})  # fmt: skip
PAIRS = frozenset({"MultiHeadAttention", "GroupQueryAttention"})


def model_with(name: str) -> Any:
    """Makes a Keras 3 model of one layer class."""
    import keras

    home = importlib.import_module(classes.APPLICATION_LAYERS.get(name, "keras.layers"))
    settings = dict(SETTINGS.get(name, {}))
    if name.startswith(("Conv", "SeparableConv")):
        settings = {"filters": 3, "kernel_size": 2, **settings}
    elif name.startswith("DepthwiseConv"):
        settings = {"kernel_size": 2}
    elif name.startswith(("AveragePooling", "MaxPooling")):
        settings = {"pool_size": 2}
    elif name in ("LSTM", "GRU", "SimpleRNN"):
        settings = {"units": 3}
    rank = re.search(r"(\d)D", name)
    shape = RANKS.get(name, SHAPES[int(rank.group(1)) if rank else 2])
    integers = name in ("Embedding", "CategoryEncoding")
    inputs = keras.Input(shape[1:], dtype="int32" if integers else "float32", name="x")
    layer = getattr(home, name)(**settings, name="layer")
    if name in SEVERAL:
        outputs = layer([inputs, keras.layers.Rescaling(0.5)(inputs)])
    elif name in PAIRS:
        outputs = layer(inputs, inputs)
    else:
        outputs = layer(inputs)
    return keras.Model(inputs, outputs)


def test_every_layer_of_the_allow_list_keeps_its_outputs() -> None:
    """Built in a graph, so a layer that keeps a tensor of it would fail when called."""
    import keras

    names = (classes.LAYERS | set(classes.APPLICATION_LAYERS)) - WRAPPED - CELLS
    for name in sorted(names):
        theirs = with_signal(model_with(name))
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(theirs)))

        def match(model: Any, theirs: Any = theirs) -> dict[int, Any]:
            pairs = zip(model.weights, theirs.weights, strict=True)
            return {id(ours): np.asarray(other) for ours, other in pairs}

        ours = built(config, match)
        try:
            for layer in [*theirs.layers, *ours.layers]:
                if hasattr(layer, "finalize_state"):
                    layer.finalize_state()
            assert_same_outputs(ours, theirs)
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error


def test_constants_of_normalization_are_real() -> None:
    config = sequential(
        ("Normalization", {"mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0, 4.0, 9.0, 16.0]})
    )
    data = np.ones((1, 4, 4), "float32")
    expected = (1 - np.array([1, 2, 3, 4])) / np.array([1, 2, 3, 4])
    np.testing.assert_allclose(np.asarray(built(config)(data))[0, 0], expected, atol=1e-6)
