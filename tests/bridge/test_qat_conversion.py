"""A quantized model as a SavedModel: its signature, its batch, its outputs, nothing of tfmot."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge import qat, qat_plan
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.graph import walk
from pipeline.bridge.qat import _quantize, quantization_aware_train
from pipeline.bridge.qat_ranges import set_ranges
from pipeline.config.load import validate
from pipeline.config.train import FineTuneConfig
from pipeline.data.prepare import load_data, prepare_data, save_preparation
from pipeline.data.prepared import PreparedData
from pipeline.errors import PromiseError
from pipeline.models.build import build_model
from pipeline.progress import SilentProgress
from pipeline.runtime import start_tensorflow
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.inspect import inspect
from pipeline.tflite.saved_model import save_keras_model
from pipeline.tflite.verify import check_dtypes, compare_outputs
from pipeline.tflite.worker import ConversionWorker
from pipeline.training.fit import fit
from tests.bridge.bridge_models import samples_for, several_inputs
from tests.bridge.own_layers import Block

BATCH = 4
NAMES = (["features"], ["logits"])


@pytest.fixture(scope="module")
def quantized() -> Any:
    """Two Dense layers and Dropout, quantized, with weights that differ from one another."""
    import keras

    keras.utils.set_random_seed(3)
    inputs = keras.Input((5,), name="features")
    x = keras.layers.Dense(4, activation="relu", name="hidden")(inputs)
    x = keras.layers.Dropout(0.5, name="drop")(x)
    model = keras.Model(inputs, keras.layers.Dense(3, name="logits")(x), name="small")
    result = _quantize(to_tf_keras(model), frozenset({"hidden", "drop", "logits"}))
    # Before any pass in training mode all ranges of weights are 0 to 0, and so are the outputs.
    set_ranges(result, np.random.default_rng(0).normal(size=(32, 5)).astype(np.float32))
    return result


@pytest.fixture(scope="module")
def saved(quantized: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    save_keras_model(quantized, folder, BATCH, NAMES)
    return folder


def load(folder: Path) -> tuple[Any, Any]:
    """Returns the loaded object, which owns the variables, and its one signature."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    assert list(loaded.signatures) == ["serving_default"]
    return loaded, loaded.signatures["serving_default"]


def test_the_signature_has_the_given_names_and_a_fixed_batch(saved: Path) -> None:
    import tensorflow as tf

    _, function = load(saved)
    assert function.structured_input_signature == (
        (), {"features": tf.TensorSpec((BATCH, 5), tf.float32, name="features")},
    )  # fmt: skip
    assert list(function.structured_outputs) == ["logits"]
    assert function.structured_outputs["logits"].shape == (BATCH, 3)


def test_the_outputs_are_those_of_inference(quantized: Any, saved: Path) -> None:
    _loaded, function = load(saved)
    x = np.random.default_rng(1).normal(size=(BATCH, 5)).astype(np.float32)
    expected = quantized(x, training=False).numpy()
    assert expected.std() > 0.01
    # Not bit for bit: the two graphs may fuse differently. Dropout would show far above this.
    np.testing.assert_allclose(function(features=x)["logits"].numpy(), expected, atol=1e-6)


def test_another_batch_is_refused(saved: Path) -> None:
    import tensorflow as tf

    _loaded, function = load(saved)
    with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError)):
        function(features=np.zeros((BATCH + 1, 5), np.float32))


def test_no_layer_is_saved_only_what_the_function_reads(quantized: Any, saved: Path) -> None:
    loaded, _ = load(saved)
    assert not hasattr(loaded, "layers")
    assert not (saved / "keras_metadata.pb").exists()
    kept = {variable.name for variable in loaded.captured}
    assert kept <= {variable.name for variable in quantized.variables}
    assert {name for name in kept if name.endswith("/kernel:0")} == {
        "hidden/kernel:0", "logits/kernel:0",
    }  # fmt: skip
    assert not any("optimizer_step" in name for name in kept)


def test_an_older_save_is_replaced(quantized: Any, tmp_path: Path) -> None:
    for batch in (1, 2):
        save_keras_model(quantized, tmp_path / "model", batch, NAMES)
    _, function = load(tmp_path / "model")
    assert function.structured_outputs["logits"].shape == (2, 3)


def test_several_inputs_and_outputs_keep_their_names(tmp_path: Path) -> None:
    model = several_inputs()
    crossed, samples = to_tf_keras(model), samples_for(model, BATCH)
    save_keras_model(crossed, tmp_path / "model", BATCH, (["left", "right"], ["logits", "s"]))
    _loaded, function = load(tmp_path / "model")
    received = function(left=samples[0], right=samples[1])
    expected = crossed(samples, training=False)
    for name, original in {"logits": "logits", "s": "score"}.items():
        np.testing.assert_allclose(received[name].numpy(), expected[original].numpy(), atol=1e-6)


def test_names_are_made_fit_for_a_signature(quantized: Any, tmp_path: Path) -> None:
    save_keras_model(quantized, tmp_path / "model", 1, (["block/features:0"], ["head-1/logits"]))
    _, function = load(tmp_path / "model")
    assert list(function.structured_input_signature[1]) == ["block_features"]
    assert list(function.structured_outputs) == ["head_1_logits"]


def test_as_many_names_as_tensors(quantized: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zip"):
        save_keras_model(quantized, tmp_path / "model", 1, (["a", "b"], ["logits"]))


@pytest.fixture(scope="module")
def small_cnn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, PreparedData]:
    """A short training of small_cnn, with BatchNormalization behind its Dense layer, on digits."""
    folder = tmp_path_factory.mktemp("small_cnn")
    config = validate(
        {
            "model": {
                "architecture": "small_cnn",
                "filters": [8, 16],
                "units": 32,
                "normalization": "batch",
            },
            "train": {"epochs": 4},
        }
    )
    save_preparation(prepare_data(config.data, 0), folder)
    data = load_data(config.data, folder, ("train", "validation"))
    start_tensorflow(0)
    model = build_model(config.model, data.input_shape, data.task)
    fit(model, data, config.train, 0, folder / "work", folder / "output", SilentProgress())
    return model, data


def mean_difference(model: Any, data: PreparedData, folder: Path) -> float:
    """How far is the int8 file from the model that was trained with quantization?"""
    config, progress = FineTuneConfig(epochs=1), SilentProgress()
    result = quantization_aware_train(
        model, data, config, 0, folder / "work", folder / "output", progress
    )
    result.save_for_conversion(folder / "saved", 1)
    request = ConversionRequest("int8", "int8")
    files = convert(folder / "saved", [request], data.train.x[:200], folder / "files")
    x = data.validation.x
    return float(compare_outputs(files["int8"], x, result.predict(x), data.task)["mean_difference"])


def test_folding_into_a_dense_layer_is_still_wrong(
    small_cnn: tuple[Any, PreparedData], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day this fails, Dense may join qat_plan.FOLDS_NORMALIZATION."""
    left = mean_difference(*small_cnn, tmp_path / "left")
    assert left < 0.02
    everywhere = qat_plan.FOLDS_NORMALIZATION | {"Dense"}
    monkeypatch.setattr(qat_plan, "FOLDS_NORMALIZATION", everywhere)
    assert mean_difference(*small_cnn, tmp_path / "folded") > 2 * left


def classifier(body: Any) -> Any:
    import keras

    inputs = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Flatten(name="flat")(body(keras.layers, inputs))
    return keras.Model(inputs, keras.layers.Dense(3, name="logits")(x))


def save_quantized(model: Any, x: np.ndarray, folder: Path) -> Any:
    """Saves what quantization-aware training would begin with, and returns it."""
    crossed = to_tf_keras(model)
    chosen, _ = qat_plan.plan_quantization(crossed, walk(model))
    made = _quantize(crossed, frozenset(chosen))
    set_ranges(made, x)
    save_keras_model(made, folder, 1, (["image"], ["logits"]))
    return made


def normalized(k: Any, x: Any, activation: Any) -> Any:
    return activation(k.BatchNormalization()(k.Conv2D(4, 3, padding="same", use_bias=False)(x)))


def dense_block(k: Any, x: Any) -> Any:
    x = k.AveragePooling2D(2)(k.Conv2D(4, 3, padding="same")(x))
    return k.Concatenate()([x, k.Conv2D(4, 1)(k.ReLU()(k.BatchNormalization()(x)))])


# body → its operators in the file, without those of the head
INT8: dict[str, tuple[Any, dict[str, int]]] = {
    "an activation that is left": (
        lambda k, x: normalized(k, x, k.Activation("hard_silu")), {"CONV_2D": 1, "HARD_SWISH": 1},
    ),
    "different scales": (
        lambda k, x: k.Concatenate()(
            [normalized(k, x, k.ReLU()), normalized(k, x, k.Activation("tanh"))]
        ),
        {"CONV_2D": 2, "TANH": 1, "QUANTIZE": 1, "CONCATENATION": 1},
    ),
    "normalization first": (
        lambda k, x: k.Conv2D(4, 3, activation="relu")(k.BatchNormalization()(x)), {"CONV_2D": 1},
    ),
    "upwards": (
        lambda k, x: k.UpSampling2D()(k.Conv2DTranspose(2, 2, strides=2)(k.MaxPooling2D(4)(x))),
        {"MAX_POOL_2D": 1, "TRANSPOSE_CONV": 1, "RESIZE_NEAREST_NEIGHBOR": 1},
    ),
    "an average, as in DenseNet": (
        dense_block,
        {"CONV_2D": 2, "AVERAGE_POOL_2D": 1, "MUL": 1, "CONCATENATION": 1},
    ),
    "a layer of the user's own": (
        lambda k, x: Block(4)(k.Conv2D(4, 3, activation="relu")(x)),
        {"CONV_2D": 1, "FULLY_CONNECTED": 2},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", INT8)
def test_what_is_left_to_the_converter_becomes_int8_too(
    case: str, tiny_data: PreparedData, converter: ConversionWorker, tmp_path: Path
) -> None:
    body, operators = INT8[case]
    x, request = tiny_data.train.x[:48], ConversionRequest("int8", "int8")
    made = save_quantized(classifier(body), x, tmp_path / "saved")
    path = convert(tmp_path / "saved", [request], x, tmp_path / "files", converter)["int8"]
    check_dtypes(path, request)
    head = Counter({"RESHAPE": 1, "FULLY_CONNECTED": 1})
    assert Counter(inspect(path).operators) == Counter(operators) + head
    parity = compare_outputs(path, x, made(x, training=False).numpy(), tiny_data.task)
    assert parity["mean_difference"] < 0.05


def test_a_quantized_layer_before_an_einsum_still_fails_in_the_converter(
    tiny_data: PreparedData,
    converter: ConversionWorker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The day this fails, qat_plan need not leave what an einsum reads."""

    def body(k: Any, x: Any) -> Any:
        x = k.Reshape((36, 2))(k.Conv2D(2, 3, name="conv")(x))
        return k.EinsumDense("abc,cd->abd", output_shape=(36, 3), name="einsum")(x)

    model, x = classifier(body), tiny_data.train.x[:16]
    save_quantized(model, x, tmp_path / "left")
    request = ConversionRequest("int8", "int8")
    files = convert(tmp_path / "left", [request], x, tmp_path / "files", converter)
    assert files["int8"].exists()
    monkeypatch.setattr(qat_plan, "_kernels_before_einsum", lambda *arguments: {})
    save_quantized(model, x, tmp_path / "annotated")
    with pytest.raises(PromiseError, match="INT8 != FLOAT32"):
        convert(tmp_path / "annotated", [request], x, tmp_path / "more", converter)


def test_an_average_between_two_scales_still_fails_in_the_converter(
    tiny_data: PreparedData,
    converter: ConversionWorker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The day this fails, qat_plan may take AveragePooling2D."""
    monkeypatch.setattr(qat_plan, "QUANTIZED", qat_plan.QUANTIZED | qat_plan.ONE_SCALE)
    monkeypatch.setattr(qat_plan, "ONE_SCALE", frozenset())
    monkeypatch.setattr(qat, "leave_joined_scales", lambda quantized: [])
    x = tiny_data.train.x[:16]
    save_quantized(classifier(dense_block), x, tmp_path / "saved")
    request = ConversionRequest("int8", "int8")
    with pytest.raises(PromiseError, match="AvgPool"):
        convert(tmp_path / "saved", [request], x, tmp_path / "files", converter)
