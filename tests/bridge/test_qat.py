"""Quantization-aware training: zeros kept, resume exact, and an int8 file in the end."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.bridge import qat
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.fit import fine_tune
from pipeline.bridge.qat import QatResult, _find_clusters, quantization_aware_train
from pipeline.config.train import FineTuneConfig
from pipeline.data.prepared import PreparedData, Split
from pipeline.errors import ConfigError, PromiseError
from pipeline.models.kernels import count_kernel_zeros
from pipeline.progress import SilentProgress
from pipeline.tasks.task import classification
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.inspect import inspect
from pipeline.tflite.verify import check_zeros_kept
from pipeline.tflite.verify_clusters import ClusteredKernel, check_clusters
from pipeline.tflite.worker import ConversionWorker
from tests.bridge.bridge_models import chain_cnn, operators
from tests.bridge.test_pruning import KillAfter, Killed

SETTINGS: dict[str, Any] = {
    "batch_size": 16, "optimizer": {"name": "adam", "learning_rate": 0.01},
}  # fmt: skip


# Its zeros are one group, every other weight is one: means are taken, and nothing is shared.
GROUPED = [("c2", "kernel")]


def half_pruned() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    model = chain_cnn()
    for name in ("c1", "d1", "c2", "logits"):
        kernel = model.get_layer(name).kernel
        values = kernel.numpy()
        kernel.assign(np.where(np.abs(values) < np.median(np.abs(values)), 0, values))
    return model


def run(
    model: Any,
    data: PreparedData,
    folder: Path,
    progress: Any = None,
    epochs: int = 10,
    **more: Any,
) -> QatResult:
    config = FineTuneConfig.model_validate({**SETTINGS, "epochs": epochs})
    progress = progress or SilentProgress()
    work, output = folder / "work", folder / "output"
    return quantization_aware_train(model, data, config, 5, work, output, progress, **more)


@pytest.fixture(scope="module")
def trained(
    tiny_data: PreparedData, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Any, QatResult]:
    model = half_pruned()
    return model, run(model, tiny_data, tmp_path_factory.mktemp("qat"), clustered=GROUPED)


def test_the_model_that_was_given_is_unchanged(trained: tuple[Any, QatResult]) -> None:
    for one, other in zip(trained[0].weights, half_pruned().weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_the_manifest_tells_what_was_quantized(trained: tuple[Any, QatResult]) -> None:
    metrics = trained[1].metrics()
    assert "c1" in metrics["quantized_layers"] and "n1" in metrics["quantized_layers"]
    assert [entry["layer"] for entry in metrics["left_to_converter"]] == ["d1"]
    assert len(metrics["history"]) == 10
    assert metrics["statistics"]["layers"] == 1
    assert metrics["zeros"] == 18 + 18 + 108 + 36


def test_the_file_is_int8_with_its_zeros_and_agrees(
    trained: tuple[Any, QatResult], tiny_data: PreparedData, tmp_path: Path
) -> None:
    import tensorflow as tf

    trained[1].save_for_conversion(tmp_path / "saved", 1)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved"))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in tiny_data.train.x)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    interpreter = tf.lite.Interpreter(
        model_content=converter.convert(),
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["image"], "outputs": ["logits"]}
    }
    entry, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert (entry["dtype"], out["dtype"]) == (np.int8, np.int8)
    names = [op["op_name"] for op in interpreter._get_ops_details()]
    assert not {"MUL", "QUANTIZE", "DEQUANTIZE"} & set(names)
    zeros = 0
    for tensor in interpreter.get_tensor_details():
        if tensor["dtype"] == np.int8 and tuple(tensor["shape"]) in KERNEL_SHAPES:
            zeros += int(np.sum(interpreter.get_tensor(tensor["index"]) == 0))
    assert zeros >= 18 + 18 + 108 + 36
    (scale, zero), (out_scale, out_zero) = entry["quantization"], out["quantization"]
    answers = []
    for x in tiny_data.validation.x:
        quantized = np.clip(np.round(x[None] / scale + zero), -128, 127).astype(np.int8)
        interpreter.set_tensor(entry["index"], quantized)
        interpreter.invoke()
        answers.append((interpreter.get_tensor(out["index"]).astype(float) - out_zero) * out_scale)
    expected = trained[1].predict(tiny_data.validation.x)
    assert np.abs(np.concatenate(answers) - expected).mean() < 0.05 * expected.std()


KERNEL_SHAPES = {(4, 3, 3, 1), (1, 3, 3, 4), (6, 3, 3, 4), (3, 24)}


def test_a_killed_training_ends_with_the_same_bits(
    trained: tuple[Any, QatResult], tiny_data: PreparedData, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        run(half_pruned(), tiny_data, tmp_path, KillAfter(6), clustered=GROUPED)
    result = run(half_pruned(), tiny_data, tmp_path, clustered=GROUPED)
    x = tiny_data.validation.x
    np.testing.assert_array_equal(result.predict(x), trained[1].predict(x))
    one, other = result._model.weights, trained[1]._model.weights
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_operators_are_left_to_the_converter(tiny_data: PreparedData, tmp_path: Path) -> None:
    result = run(operators(), tiny_data, tmp_path)
    assert {"c1", "c2", "logits"} <= set(result.quantized_layers)
    assert any("Mean" in entry["reason"] for entry in result.left_to_converter)
    result.save_for_conversion(tmp_path / "saved", 1)
    assert (tmp_path / "saved" / "saved_model.pb").exists()


def test_a_model_with_nothing_to_quantize_is_refused(
    tiny_data: PreparedData, tmp_path: Path
) -> None:
    import keras

    inputs = keras.Input((8, 8, 1), name="image")
    x = keras.layers.Conv2D(3, 8, activation="selu", name="c")(inputs)
    model = keras.Model(inputs, keras.ops.reshape(x, (-1, 3)), name="odd")
    with pytest.raises(ConfigError, match=r"quantize.qat: no layer of 'odd' can be trained"):
        run(model, tiny_data, tmp_path)


def test_normalization_after_an_activation_is_left_to_the_converter(tmp_path: Path) -> None:
    """tfmot asks for the layer before each quantized one, and has nothing for this one."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,), name="x")
    x = keras.layers.BatchNormalization(name="first")(inputs)
    x = keras.layers.Dense(6, activation="relu", name="d")(x)
    x = keras.layers.BatchNormalization(name="second")(x)
    model = keras.Model(inputs, keras.layers.Dense(2, name="logits")(x))
    generator = np.random.default_rng(0)
    samples = generator.normal(size=(32, 4)).astype(np.float32)
    split = Split(samples, (samples[:, 0] > 0).astype(np.int64))
    data = PreparedData(
        {"train": split, "validation": split}, classification(("a", "b")), (4,), None, "sidecar"
    )
    result = quantization_aware_train(
        model, data, FineTuneConfig(epochs=1), 0, tmp_path / "w", tmp_path / "o", SilentProgress()
    )
    assert result.quantized_layers == ["d", "logits"]
    assert [entry["layer"] for entry in result.left_to_converter] == ["first", "second"]
    assert np.isfinite(result.predict(samples)).all()


CLUSTERED = [("c1", "kernel"), ("one", "kernel"), ("s", "pointwise_kernel"), ("logits", "kernel")]


def half_pruned_and_clustered() -> Any:
    """With a 1×1 convolution, as in tensorflow/model-optimization#979, and a SeparableConv2D,
    which tfmot splits in two."""
    import keras

    keras.utils.set_random_seed(3)
    layers = keras.layers
    inputs = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, use_bias=False, name="c1")(inputs)
    x = layers.ReLU(name="r1")(layers.BatchNormalization(name="n1")(x))
    x = layers.Conv2D(6, 1, activation="relu", name="one")(x)
    x = layers.SeparableConv2D(6, 3, activation="relu", name="s")(x)
    x = layers.Flatten(name="flat")(x)
    model = keras.Model(inputs, layers.Dense(3, name="logits")(x), name="clustered")
    for name, tensor in CLUSTERED:
        kernel = getattr(model.get_layer(name), tensor)
        values = kernel.numpy()
        steps = np.round(values / np.abs(values).max() * 3) / 3
        kernel.assign(steps * np.abs(values).max())
    return model


def test_zeros_and_clusters_are_kept_to_the_last_weight(
    tiny_data: PreparedData, converter: ConversionWorker, tmp_path: Path
) -> None:
    model = half_pruned_and_clustered()
    before = {name: getattr(model.get_layer(name), tensor).numpy() for name, tensor in CLUSTERED}
    result = run(model, tiny_data, tmp_path, epochs=3, clustered=CLUSTERED)
    trained = {
        variable.numpy().tobytes(): variable for variable in result._model.trainable_variables
    }
    promised = []
    for name, tensor in CLUSTERED:
        groups, labels = np.unique(before[name], return_inverse=True)
        same_shape = [v.numpy() for v in trained.values() if v.shape == before[name].shape]
        (after,) = [
            values for values in same_shape
            if all(np.unique(values.flat[labels.flat == n]).size == 1 for n in range(groups.size))
        ]  # fmt: skip
        assert not np.array_equal(after, before[name]), "it was trained"
        assert (after[before[name] == 0] == 0).all() and np.any(after)
        normalized = name == "c1"
        promised.append(ClusteredKernel(name, tensor, after.shape, groups.size, normalized))
    result.save_for_conversion(tmp_path / "saved", 1)
    request = ConversionRequest("int8", "int8")
    path = convert(tmp_path / "saved", [request], tiny_data.train.x, tmp_path, converter)["int8"]
    check_clusters(path, promised)
    check_zeros_kept(path, count_kernel_zeros(model))
    assert all(kernel.counts.sparsity < 1 for kernel in inspect(path).kernels)


def test_the_training_has_the_memory_of_one_model(
    tiny_data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[Any]] = []

    def cross(*args: Any) -> Any:
        model = to_tf_keras(*args)
        made.append(weakref.ref(model))
        return model

    def tune(*args: Any) -> Any:
        assert [reference() for reference in made] == [None]
        return fine_tune(*args)

    monkeypatch.setattr(qat, "to_tf_keras", cross)
    monkeypatch.setattr(qat, "fine_tune", tune)
    run(half_pruned(), tiny_data, tmp_path, epochs=1)
    assert made


def test_a_clustered_kernel_that_tfmot_lost_breaks_the_promise() -> None:
    plain = to_tf_keras(half_pruned_and_clustered())
    other = to_tf_keras(half_pruned())
    with pytest.raises(PromiseError, match="a clustered kernel of 'clustered' is not in tfmot's"):
        _find_clusters(plain, other, CLUSTERED)
