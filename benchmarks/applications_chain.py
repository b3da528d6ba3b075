"""One step of one architecture of keras.applications, in a process of its own.

    for step in parity prune ptq qat; do
        python benchmarks/applications_chain.py MobileNetV2 32 folder $step
    done

Each step adds its figures to `folder/row.json`; `folder/model.keras` hands the model on, from
`prune` to `ptq` to `qat`.
"""

from __future__ import annotations

import contextlib
import gc
import json
import resource
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from applications_models import SEED, build, make_data, photographs, set_statistics

from pipeline.artifacts.files import write_json_atomic
from pipeline.bridge.conversion import save_for_conversion
from pipeline.bridge.crossing import to_tf_keras
from pipeline.bridge.graph import walk
from pipeline.bridge.proof import prove_crossing
from pipeline.bridge.pruning import prune
from pipeline.bridge.qat import quantization_aware_train
from pipeline.compression.sparsity import measure_tensor, overall_sparsity
from pipeline.compression.statistics import compare
from pipeline.config.prune import PruneConfig
from pipeline.config.train import FineTuneConfig
from pipeline.errors import PromiseError, SlimlineError
from pipeline.models.kernels import count_kernel_zeros
from pipeline.models.predict import predict_outputs
from pipeline.progress import SilentProgress
from pipeline.runtime import start_tensorflow
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.interpreter import load
from pipeline.tflite.verify import check_dtypes, check_zeros_kept
from pipeline.tflite.worker import ConversionWorker

MODEL_FILE = "model.keras"
# Trained, calibrated and compared on. PRUNE_STEPS batches of all of them teach a network to tell
# the two photographs apart: one with random weights amplifies any rounding, that of int8 up to
# the spread of its outputs, and agreement would prove nothing.
SAMPLES, PRUNE_STEPS = 16, 12
SPARSITY = 0.5
_PRUNING = {
    "epochs": 1,
    "batch_size": SAMPLES,
    "distribution": "uniform",  # half of each kernel
    # Masks are made once: to sort 17 million magnitudes at each step takes longer than the step.
    "pruning_schedule": {
        "kind": "constant", "final_sparsity": SPARSITY, "frequency": PRUNE_STEPS,
    },
}  # fmt: skip
_QAT = {
    "epochs": 1,
    "batch_size": SAMPLES // 4,
    "optimizer": {"name": "sgd", "learning_rate": 1e-5, "gradient_clipping": {"global_norm": 1.0}},
}


class Chain:
    """The steps; each returns its figures."""

    def __init__(self, name: str, side: int, work: Path, worker: ConversionWorker) -> None:
        """Builds the model, or takes it up where the step before left it."""
        self.work, self.worker = work, worker
        self.x = photographs(name, side, SAMPLES)
        if (work / MODEL_FILE).exists():
            import keras

            self.model = keras.saving.load_model(work / MODEL_FILE)
        else:
            self.model = build(name, side)
            set_statistics(self.model, self.x)
        self.parameters, self.layers = self.model.count_params(), len(self.model.layers)

    def parity(self) -> dict[str, Any]:
        """Proves the crossing to tf_keras; the proof swaps two filters and must then fail."""
        return prove_crossing(self.model, to_tf_keras(self.model, SEED), self.x).metrics()

    def prune(self) -> dict[str, Any]:
        """Prunes, saves with Keras's own `save`, loads with Keras's own loader, counts there."""
        import keras

        # Without normalization 1e-3 leaves VGG19 with no living unit.
        rate = 1e-3 if any("Normalization" in type(x).__name__ for x in self.model.layers) else 1e-4
        optimizer = {"name": "adam", "learning_rate": rate}
        config = PruneConfig.model_validate({**_PRUNING, "optimizer": optimizer})
        result = prune(
            self.model, make_data(self.x, PRUNE_STEPS * SAMPLES), config, SEED,
            self.work / "prune", self.work, SilentProgress(),
        )  # fmt: skip
        path = self.work / MODEL_FILE
        self.model.save(path)
        require_stock_classes(path)
        stock = keras.saving.load_model(path)
        expected, loaded = (predict_outputs(m, self.x) for m in (self.model, stock))
        if not np.array_equal(expected, loaded):
            raise PromiseError(f"the loaded model differs by {np.abs(expected - loaded).max():.2g}")
        layers = walk(stock).layers()
        counts = [measure_tensor(kernel_of(layers[row["layer"]], row)) for row in result.layers]
        if min(count.sparsity for count in counts) < SPARSITY - 1e-3:
            raise PromiseError(f"a kernel has {min(c.sparsity for c in counts):.4f} zeros")
        dense = sorted({f"{row['class']}: {row['reason']}" for row in result.skipped})
        return {
            "kernels": len(counts),
            "sparsity": overall_sparsity(counts),
            "overall_sparsity": sum(c.zeros for c in counts) / self.parameters,
            "left_dense": dense,
        }

    def ptq(self) -> dict[str, Any]:
        """Converts the pruned model to float32 and int8 and runs both files."""
        set_statistics(self.model, self.x)
        self.model.save(self.work / MODEL_FILE)
        expected = predict_outputs(self.model, self.x)
        save_for_conversion(self.model, self.work / "saved")
        return self._convert("saved", ("float32", "int8"), expected)

    def qat(self) -> dict[str, Any]:
        """Trains the pruned model with quantization emulated; converts and runs it."""
        config = FineTuneConfig.model_validate(_QAT)
        result = quantization_aware_train(
            self.model, make_data(self.x, SAMPLES // 2), config, SEED,
            self.work / "qat", self.work, SilentProgress(),
        )  # fmt: skip
        result.save_for_conversion(self.work / "qat_saved", 1)
        reasons: dict[str, list[str]] = {}
        for row in result.left_to_converter:
            reasons.setdefault(row["reason"], []).append(row["layer"])
        figures = {
            "trained": len(result.quantized_layers),
            "left": len(result.left_to_converter),
            "reasons": [
                {"reason": reason, "layers": len(names), "first": names[0]}
                for reason, names in reasons.items()
            ],
            "zeros": result.zeros,
            "statistics": None if result.statistics is None else result.statistics.metrics(),
        }
        expected = result.predict(self.x)
        del result
        return figures | self._convert("qat_saved", ("int8",), expected)

    def _convert(self, saved: str, schemes: Any, expected: np.ndarray) -> dict[str, Any]:
        """Converts, checks types and zeros in the file, and runs it on the samples.

        It is the last thing a step does: the converter gets the memory.
        """
        figures: dict[str, Any] = {}
        zeros = count_kernel_zeros(self.model)
        del self.model
        gc.collect()
        for scheme in schemes:
            request = ConversionRequest(scheme, scheme)
            path = convert(self.work / saved, [request], self.x, self.work, self.worker)[scheme]
            # It keeps a part of what it took.
            self.worker.close()
            check_dtypes(path, request)
            differences = compare(expected, load(path).predict(self.x))
            figures[scheme] = {"size_bytes": path.stat().st_size, **differences.to_json()}
            if scheme == "int8":
                check_zeros_kept(path, zeros)
            path.unlink()
        return figures


def kernel_of(layer: Any, row: dict[str, Any]) -> np.ndarray:
    """Returns the pruned tensor of a Keras 3 layer."""
    found = getattr(layer, row["tensor"]).numpy()
    return np.asarray(found)


def require_stock_classes(path: Path) -> None:
    """Refuses a `.keras` file that needs anything but Keras to be loaded."""

    def modules(node: Any) -> set[str]:
        if isinstance(node, list):
            return set().union(*map(modules, node))
        if not isinstance(node, dict):
            return set()
        own = {node["module"]} if isinstance(node.get("module"), str) else set()
        return own.union(*map(modules, node.values()))

    with zipfile.ZipFile(path) as archive:
        found = modules(json.loads(archive.read("config.json")))
    foreign = {name for name in found if name.split(".")[0] != "keras"}
    if foreign:
        raise PromiseError(f"the saved model needs {', '.join(sorted(foreign))}")


def save_work() -> None:
    """Leaves out what pays in longer trainings only: optimized graphs, garbage collected often."""
    import tensorflow as tf

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    gc.disable()


def run_step(chain: Chain, step: str) -> dict[str, Any]:
    """Runs a step; one that fails leaves its reason."""
    began = time.perf_counter()
    try:
        figures = {"done": True, **getattr(chain, step)()}
    except SlimlineError as error:
        figures = {"done": False, "reason": str(error)}
    except Exception as error:
        figures = {"done": False, "reason": f"{type(error).__name__}: {error}"}
    return {**figures, "seconds": round(time.perf_counter() - began, 1)}


def main(name: str, side: int, folder: Path, step: str) -> None:
    """Runs a step of one architecture and adds it to the row."""
    output = folder / "row.json"
    row: dict[str, Any] = json.loads(output.read_bytes()) if output.exists() else {}
    with contextlib.closing(ConversionWorker()) as worker:
        start_tensorflow(SEED)
        save_work()
        chain = Chain(name, side, folder, worker)
        row |= {"parameters": chain.parameters, "layers": chain.layers}
        row[step] = run_step(chain, step)
    # The converter is the only child; it has ended.
    own, converter = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    row[step] |= {
        "memory_bytes": own.ru_maxrss * 1024,
        "converter_memory_bytes": converter.ru_maxrss * 1024,
        "cpu_seconds": round(sum(u.ru_utime + u.ru_stime for u in (own, converter)), 1),
    }
    write_json_atomic(output, row)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
