"""What a practitioner writes with tf_keras and tfmot: their documented calls, one after another.

    python benchmarks/plain_tfmot.py request.json result.json

A process of its own, because tfmot works with TF_USE_LEGACY_KERAS alone. The request says
`network` (a name in plain_networks.py) and its `options`, `data` (a .npz of x_train, y_train,
x_val, y_val, x_test, y_test, scaled), `seed`, `batch_size`, `weights` (a .npz of `save_weights`,
or null to begin at random ones), `keep_files` (a folder, or null), and `chains`: name →
{"steps": list of {"step": a name in STEPS, and its arguments}, "float": whether a float file is
wanted beside the int8 one}. Chains that begin alike share what they share. The result tells of
each file its accuracy on validation and test data, bytes, and what each kernel holds. Of Slimline,
`pipeline.tflite` counts, and nothing else is used.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras
from plain_networks import NETWORKS
from tensorflow_model_optimization.python.core.clustering.keras.experimental import (
    cluster as sparse_cluster,
)

REPRESENTATIVE, PRUNE_EVERY = 200, 10
QAT_SCHEMES: dict[str, Callable[[], Any]] = {
    "QAT": tfmot.quantization.keras.default_8bit.Default8BitQuantizeScheme,
    "PQAT": tfmot.experimental.combine.Default8BitPrunePreserveQuantizeScheme,
    "CQAT": lambda: tfmot.experimental.combine.Default8BitClusterPreserveQuantizeScheme(
        preserve_sparsity=False
    ),
    "PCQAT": lambda: tfmot.experimental.combine.Default8BitClusterPreserveQuantizeScheme(
        preserve_sparsity=True
    ),
}
Data = dict[str, np.ndarray]


def fit(
    model: Any, data: Data, epochs: int, learning_rate: float, batch_size: int,
    callbacks: tuple[Any, ...] = (),
) -> Any:  # fmt: skip
    """Compiles and trains in place: Adam, its rate falling to 0 along a cosine."""
    steps = epochs * -(-len(data["x_train"]) // batch_size)
    model.compile(
        tf_keras.optimizers.Adam(tf_keras.optimizers.schedules.CosineDecay(learning_rate, steps)),
        tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        data["x_train"], data["y_train"], batch_size=batch_size, epochs=epochs, verbose=0,
        callbacks=list(callbacks),
    )  # fmt: skip
    return model


def prune(
    model: Any, data: Data, epochs: int, learning_rate: float, batch_size: int, sparsity: float,
    end: float = 0.6, layers: dict[str, float] | None = None,
) -> Any:  # fmt: skip
    """prune_low_magnitude along a cubic schedule to fraction `end`; then strip_pruning.

    `layers` tells the sparsity of layers that have their own.
    """
    steps = epochs * -(-len(data["x_train"]) // batch_size)
    # The last step must be one that prunes, or the final sparsity is not reached.
    last = max(round(steps * end) // PRUNE_EVERY, 1) * PRUNE_EVERY
    own = layers or {}

    def wrap(layer: Any) -> Any:
        if not layer.get_weights():
            return layer
        target = own.get(layer.name, sparsity)
        schedule = tfmot.sparsity.keras.PolynomialDecay(0.0, target, 0, last, frequency=PRUNE_EVERY)
        return tfmot.sparsity.keras.prune_low_magnitude(layer, pruning_schedule=schedule)

    if own:
        pruned = tf_keras.models.clone_model(model, clone_function=wrap)
    else:
        schedule = tfmot.sparsity.keras.PolynomialDecay(
            0.0, sparsity, 0, last, frequency=PRUNE_EVERY
        )
        pruned = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
    callback = tfmot.sparsity.keras.UpdatePruningStep()
    fit(pruned, data, epochs, learning_rate, batch_size, (callback,))
    return tfmot.sparsity.keras.strip_pruning(pruned)


def cluster(
    model: Any, data: Data, epochs: int, learning_rate: float, batch_size: int,
    number_of_clusters: int, preserve_sparsity: bool = False,
) -> Any:  # fmt: skip
    """cluster_weights, sparsity-preserving if asked; then strip_clustering."""
    initialization = tfmot.clustering.keras.CentroidInitialization.KMEANS_PLUS_PLUS
    options = {"number_of_clusters": number_of_clusters, "cluster_centroids_init": initialization}
    if preserve_sparsity:
        clustered = sparse_cluster.cluster_weights(model, preserve_sparsity=True, **options)
    else:
        clustered = tfmot.clustering.keras.cluster_weights(model, **options)
    fit(clustered, data, epochs, learning_rate, batch_size)
    return tfmot.clustering.keras.strip_clustering(clustered)


def quantize(
    model: Any, data: Data, epochs: int, learning_rate: float, batch_size: int, scheme: str
) -> Any:
    """quantize_annotate_model and quantize_apply with a scheme of QAT_SCHEMES; then training."""
    annotated = tfmot.quantization.keras.quantize_annotate_model(model)
    aware = tfmot.quantization.keras.quantize_apply(annotated, QAT_SCHEMES[scheme]())
    fit(aware, data, epochs, learning_rate, batch_size)
    return tfmot.experimental.combine.strip_clustering_cqat(aware) if "C" in scheme else aware


STEPS: dict[str, Callable[..., Any]] = {
    "train": fit, "prune": prune, "cluster": cluster, "quantize": quantize
}  # fmt: skip


def convert(model: Any, samples: np.ndarray | None) -> bytes:
    """Returns a .tflite file of batch 1: int8 in, weights and out with samples, float without."""
    with tempfile.TemporaryDirectory() as folder:
        shape = (1, *model.input_shape[1:])
        call = tf.function(lambda x: model(x, training=False)).get_concrete_function(
            tf.TensorSpec(shape)
        )
        tf.saved_model.save(model, folder, signatures=call)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if samples is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([x[None]] for x in samples)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        return converter.convert()


def accuracy(file: bytes, x: np.ndarray, y: np.ndarray) -> float:
    """Returns the fraction of right answers of a file, in LiteRT on one thread."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if source["dtype"] == np.int8:
        scale, zero_point = source["quantization"]
        x = np.clip(np.round(x / scale) + zero_point, -128, 127).astype(np.int8)
    right = 0
    for sample, label in zip(x, y, strict=True):
        interpreter.set_tensor(source["index"], sample[None])
        interpreter.invoke()
        right += int(interpreter.get_tensor(target["index"]).argmax() == label)
    return right / len(y)


def measure(file: bytes, data: Data) -> dict[str, Any]:
    """Returns accuracies, bytes and what each kernel of a file holds."""
    from pipeline.tflite.flatbuffer import decode_model
    from pipeline.tflite.inspect import inspect_model

    found = inspect_model(decode_model(file))
    kernels = [
        {"name": kernel.name, "shape": kernel.shape, "scales": kernel.scales,
         **kernel.counts.to_json()} for kernel in found.kernels
    ]  # fmt: skip
    return {
        "size_bytes": len(file),
        "gzip_bytes": len(gzip.compress(file, 9, mtime=0)),
        "sparsity": found.sparsity,
        "macs": found.total_macs,
        "validation_accuracy": accuracy(file, data["x_val"], data["y_val"]),
        "accuracy": accuracy(file, data["x_test"], data["y_test"]),
        "kernels": kernels,
    }


def save_weights(model: Any, path: Path) -> None:
    """Writes the weights of a model of either Keras, by layer and place."""
    arrays = {
        f"{layer.name}:{place}": array
        for layer in model.layers
        for place, array in enumerate(layer.get_weights())
    }
    np.savez(path, **arrays)


def set_weights(model: Any, path: Path) -> None:
    """Reads what `save_weights` wrote into a model with the same layers."""
    with np.load(path) as arrays:
        for layer in model.layers:
            count = len(layer.get_weights())
            layer.set_weights([arrays[f"{layer.name}:{place}"] for place in range(count)])


class Chains:
    """Runs chains of steps; the model after each beginning is kept as its weights."""

    def __init__(self, request: dict[str, Any], data: Data) -> None:
        self.request, self.data = request, data
        self.kept: dict[str, list[np.ndarray]] = {}

    def build(self) -> Any:
        """Returns the network at its first weights."""
        tf_keras.utils.set_random_seed(self.request["seed"])
        options = self.request.get("options", {})
        model = NETWORKS[self.request["network"]](self.data["x_train"].shape[1:], **options)
        if self.request.get("weights") is not None:
            set_weights(model, Path(self.request["weights"]))
        return model

    def model_after(self, steps: list[dict[str, Any]]) -> Any:
        """Returns the model that the steps make."""
        if not steps:
            return self.build()
        key, last = json.dumps(steps), dict(steps[-1])
        if key in self.kept:
            model = self.build()
            model.set_weights(self.kept[key])
            return model
        model = self.model_after(steps[:-1])
        name = last.pop("step")
        tf_keras.utils.set_random_seed(self.request["seed"])
        made = STEPS[name](model, self.data, batch_size=self.request["batch_size"], **last)
        if name != "quantize":  # what QAT makes is no model of these layers, and ends its chain
            self.kept[key] = made.get_weights()
        return made


def main() -> None:
    """Runs the chains of the request that are not finished; writes after each what is."""
    request, target = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    kept = target.with_suffix(".state.json")
    asked = {key: value for key, value in request.items() if key != "chains"}
    done: dict[str, Any] = {"request": asked, "chains": {}}
    if kept.exists() and (before := json.loads(kept.read_text()))["request"] == asked:
        done = before
    tf.config.experimental.enable_op_determinism()
    with np.load(request["data"]) as arrays:
        data = {name: arrays[name] for name in arrays.files}
    chains = Chains(request, data)
    for name, chain in request["chains"].items():
        if done["chains"].get(name, {}).get("chain") == chain:
            continue
        result = run_chain(chains, name, chain)
        done["chains"][name] = {"chain": chain, "result": result}
        _write(kept, done)
        print(f"plain {name}: {result}"[:100], flush=True)
    _write(target, {name: done["chains"][name]["result"] for name in request["chains"]})


def _write(path: Path, value: dict[str, Any]) -> None:
    """Writes JSON whole or not at all."""
    partial = path.with_suffix(".tmp")
    partial.write_text(json.dumps(value))
    partial.replace(path)


def run_chain(chains: Chains, name: str, chain: dict[str, Any]) -> dict[str, Any]:
    """Runs one chain; returns form → figures of its file, and the seconds that it took."""
    began = time.perf_counter()
    model = chains.model_after(chain["steps"])
    files = {"int8": convert(model, chains.data["x_train"][:REPRESENTATIVE])}
    if chain.get("float", False):
        files["float"] = convert(model, None)
    result: dict[str, Any] = {form: measure(file, chains.data) for form, file in files.items()}
    result["seconds"] = round(time.perf_counter() - began, 1)
    if (folder := chains.request.get("keep_files")) is not None:
        for form, file in files.items():
            (Path(folder) / f"{name}_{form}.tflite").write_bytes(file)
    return result


if __name__ == "__main__":
    main()
