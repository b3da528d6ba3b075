"""The child process of `ConversionWorker`: `python -m pipeline.tflite.convert_worker`.

Reads orders as JSON lines from stdin and writes one JSON line per order to stdout; the first line
it writes says that TensorFlow is loaded. It ends with stdin, that is with its parent.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.child_process import end_with_parent, reply, reserve_stdout
from pipeline.tflite.average_ranges import widen_averages
from pipeline.tflite.calibration import calibration_edited, set_ranges
from pipeline.tflite.float_splits import without_float_splits
from pipeline.tflite.layer_schemes import LayerSchemes
from pipeline.tflite.low_bits import LOW_BIT_SCHEMES, quantize_weights
from pipeline.tflite.lstm_scales import keeps_state
from pipeline.tflite.quantizer_of_converter import (
    DenyingQuantizer,
    float_outputs,
    quantizer_replaced,
)
from pipeline.tflite.static_weights import quantize_static

# tensorflow 2.21.0 imports these for parts that no conversion uses: 4.6 s instead of 6.8 s.
_UNUSED_PACKAGES = ("keras", "scipy", "sklearn")
SIGNATURE = "serving_default"
# Values of tf.lite.OpsSet: the kernels that compute on integers alone.
_INTEGER_OPERATORS = {
    "int8": "TFLITE_BUILTINS_INT8",
    "int16x8": "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
    "int8x4": "TFLITE_BUILTINS_INT8",
}


def main() -> None:
    """Serves orders until stdin ends."""
    replies = reserve_stdout()
    end_with_parent(True)
    _import_tensorflow()
    # Disarmed before each reply: the parent may send the next order the moment it has it.
    end_with_parent(False)
    reply(replies, {"ready": True})
    for line in sys.stdin:
        end_with_parent(True)
        answer = _serve(json.loads(line))
        end_with_parent(False)
        reply(replies, answer)


def convert(order: dict[str, Any]) -> bytes:
    """Converts one SavedModel by one scheme.

    Args:
        order: `saved_model` (folder), `scheme`, `io_dtype` (NumPy name), `dense_scales`,
            `float_operators`, `custom_operators`, `weight_algorithm`, `block_size`, `ranges`,
            `percentile`, `calibrated` (where to put the float file that the quantizer is given,
            or None), `in_float` (such a file to begin with, in the place of the SavedModel, or
            None), `layers` (of `LayerSchemes.to_json`, or None), `representative` (`.npz` with
            an array `input:<name>` per input, or None).

    Returns:
        The content of the `.tflite` file.
    """
    if order["scheme"] in LOW_BIT_SCHEMES:
        return _quantize_low_bits(order)
    if order["in_float"] is not None:
        return _quantize_static(Path(order["in_float"]).read_bytes(), order)
    with (
        calibration_edited(lambda calibrated: _edit_calibration(calibrated, order)),
        quantizer_replaced(lambda *given: _quantize_layers(order, *given)),
    ):
        try:
            # A layer that was given float32 may have a SPLIT.
            if order["scheme"] not in _INTEGER_OPERATORS or order["layers"] is not None:
                return bytes(_make_converter(order).convert())
            return without_float_splits(lambda: bytes(_make_converter(order).convert()))
        except Exception:
            if order["scheme"] not in _INTEGER_OPERATORS or order["float_operators"] == "refuse":
                raise
        # Only now, so that what can be integer throughout stays so.
        return bytes(_make_converter(order, integers_only=False).convert())


def _edit_calibration(calibrated: bytes, order: dict[str, Any]) -> bytes:
    """What the quantizer is given in the place of the calibrated float file."""
    batches = _representative_batches(order)
    edited = set_ranges(calibrated, batches, order["ranges"], order["percentile"])
    edited = widen_averages(edited)
    if order["calibrated"] is not None:
        Path(order["calibrated"]).write_bytes(edited)
    return edited


def _quantize_layers(order: dict[str, Any], quantize: DenyingQuantizer, calibrated: bytes) -> bytes:
    """Makes an integer file with layers of other schemes, or with int4 weights."""
    layers = read_layers(order)
    if order["scheme"] == "int8" and (layers is None or layers.schemes <= {"int8", "float32"}):
        # The converter's own quantizer, as far as it goes: it knows more operators.
        return quantize([] if layers is None else float_outputs(calibrated, layers))
    return _quantize_static(calibrated, order)


def _quantize_static(calibrated: bytes, order: dict[str, Any]) -> bytes:
    _admit_scipy()
    return quantize_static(
        calibrated,
        order["scheme"],
        order["io_dtype"],
        order["dense_scales"],
        order["weight_algorithm"],
        read_layers(order),
    )


def read_layers(order: dict[str, Any]) -> LayerSchemes | None:
    """Returns the exceptions of an order, or None."""
    return None if order["layers"] is None else LayerSchemes.from_json(order["layers"])


def _admit_scipy() -> None:
    """ai-edge-quantizer needs it; it was left out for the converter's sake."""
    if sys.modules.get("scipy", ...) is None:
        del sys.modules["scipy"]


def _quantize_low_bits(order: dict[str, Any]) -> bytes:
    if order["in_float"] is not None:
        in_float = Path(order["in_float"]).read_bytes()
    else:
        in_float = bytes(_make_converter({**order, "scheme": "float32"}).convert())
    _admit_scipy()
    batches = None
    if order["weight_algorithm"] == "gptq":
        batches = _representative_batches(order)
    return quantize_weights(
        in_float,
        order["scheme"],
        order["weight_algorithm"],
        order["dense_scales"],
        order["block_size"],
        batches,
        read_layers(order),
    )


def _make_converter(order: dict[str, Any], integers_only: bool = True) -> Any:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(order["saved_model"])
    scheme, io_dtype = order["scheme"], tf.dtypes.as_dtype(order["io_dtype"])
    converter.allow_custom_ops = order["custom_operators"]
    if scheme != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        # The only way to say so in tensorflow 2.21.0; verify.check_dense_scales looks at the file.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = (
            order["dense_scales"] == "per_tensor"
        )
    if scheme == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if scheme in _INTEGER_OPERATORS:
        operators = [tf.lite.OpsSet(_INTEGER_OPERATORS[scheme])]
        if not integers_only:
            operators.append(tf.lite.OpsSet.TFLITE_BUILTINS)
        converter.target_spec.supported_ops = operators
        converter.inference_input_type = converter.inference_output_type = io_dtype
        converter.representative_dataset = lambda: _representative_batches(order)
    return converter


def _representative_batches(order: dict[str, Any]) -> Iterator[dict[str, np.ndarray]]:
    shapes = read_input_shapes(Path(order["saved_model"]))
    return representative_batches(load_samples(Path(order["representative"])), shapes)


def read_input_shapes(saved_model: Path) -> dict[str, tuple[int, ...]]:
    """Returns the shape of each input of `serving_default`, batch included, by name."""
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel()
    message.ParseFromString((saved_model / "saved_model.pb").read_bytes())
    inputs = message.meta_graphs[0].signature_def[SIGNATURE].inputs
    return {
        name: tuple(dimension.size for dimension in inputs[name].tensor_shape.dim)
        for name in sorted(inputs)
    }


def load_samples(path: Path) -> dict[str, np.ndarray]:
    """Returns the representative samples by input name; "" is the only input of a model."""
    with np.load(path, allow_pickle=False) as archive:
        return {key.removeprefix("input:"): archive[key] for key in archive.files}


def representative_batches(
    samples: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]]
) -> Iterator[dict[str, np.ndarray]]:
    """Yields the samples in whole batches of the model's size.

    Args:
        samples: float32 (n, …) per input name; the name "" means the only input.
        shapes: (batch, …) per input name.

    Raises:
        ValueError: names or shapes do not fit, or there is not one whole batch.
    """
    if "" in samples and len(shapes) == 1:
        samples = {next(iter(shapes)): samples[""]}
    if set(samples) != set(shapes):
        raise ValueError(f"representative data for inputs {sorted(samples)}, not {sorted(shapes)}")
    for name, shape in shapes.items():
        if samples[name].shape[1:] != shape[1:]:
            raise ValueError(
                f"representative data of shape {samples[name].shape} for input {name!r} {shape}"
            )
    batch = next(iter(shapes.values()))[0]
    count = min(len(values) for values in samples.values()) // batch
    if count == 0:
        raise ValueError(f"fewer representative samples than one batch of {batch}")
    for index in range(count):
        rows = slice(index * batch, (index + 1) * batch)
        yield {name: values[rows] for name, values in samples.items()}


def calibrate_from_clean_states() -> None:
    """Has the calibration reset an LSTM's state before each sample, as every run of a file does.

    tensorflow 2.21.0 feeds one sample after the other, so that the ranges are those of states
    that no run reaches. Largest difference from Keras relative to the spread of the outputs, two
    stacked LSTM(5) on the samples of the calibration: 0.52 and 0.67 for two sets of random
    weights, 0.10 and 0.07 with the reset.
    """
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    feed_all = Calibrator._feed_tensors

    def feed(self: Any, dataset: Callable[[], Any], resize_input: bool) -> None:
        # Resetting takes 15 ms a sample with MobileNetV2, for which it does nothing.
        if not keeps_state(self._model_content):
            feed_all(self, dataset, resize_input)
            return
        for sample in dataset():
            # Each call prepares the interpreter anew, which clears its variables.
            feed_all(self, lambda sample=sample: [sample], resize_input)

    Calibrator._feed_tensors = feed


def _serve(order: dict[str, Any]) -> dict[str, Any]:
    try:
        Path(order["output"]).write_bytes(convert(order))
    except Exception as error:
        return {"error": str(error) or type(error).__name__}
    return {"output": order["output"]}


def _import_tensorflow() -> None:
    for name in _UNUSED_PACKAGES:
        sys.modules[name] = None  # type: ignore[assignment]  # makes `import` of it fail
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    _ = tf.lite.TFLiteConverter  # the module behind it is loaded when first touched
    calibrate_from_clean_states()


if __name__ == "__main__":
    main()
