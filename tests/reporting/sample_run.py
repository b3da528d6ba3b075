"""A made-up but realistic run, for the tests and for looking at the report."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

ALL_STAGES = (
    "data", "train", "tune", "narrow", "prune", "cluster", "quantize", "export", "evaluate",
)  # fmt: skip
CLASS_COUNTS = {
    "train": [107, 109, 106, 110, 108, 109, 108, 107, 104, 108],
    "validation": [36, 36, 36, 36, 36, 36, 37, 36, 35, 36],
    "test": [35, 36, 35, 37, 37, 36, 36, 37, 35, 36],
}
STEPS_PER_EPOCH = 34
CONFIG_TEXT = """\
run:
  name: digits
  seed: 7
data:
  source: digits
model:
  architecture: small_cnn
  filters: [16, 32]
  units: 64
train:
  epochs: 40
  batch_size: 32
  optimizer: {name: adam, learning_rate: 0.002}
  schedule: {kind: cosine, warmup: 2 epochs}
prune:
  epochs: 12
  pruning_schedule: {kind: polynomial, final_sparsity: 0.8}
quantize:
  schemes: [int8, dynamic_range]
"""


SEARCH_SPACE = {
    "train.optimizer.learning_rate": {"float": [1e-4, 1e-2], "sampling": "log"},
    "model.dropout": {"float": [0.0, 0.5], "sampling": "linear"},
    "train.batch_size": {"choice": [32, 64]},
}
IMPORTANCE = {
    "method": "first-order functional ANOVA of a random forest", "trials": 9, "shuffles": 39,
    "reason": None, "explained": 0.41,
    "shares": [
        {"path": "train.optimizer.learning_rate", "share": 0.52, "chance": 0.31},
        {"path": "model.dropout", "share": 0.08, "chance": 0.29},
    ],
}  # fmt: skip


def make_run(stages: tuple[str, ...] = ALL_STAGES, **changes: Any) -> dict[str, Any]:
    """The input of `build_report` for a chain of these stages; `changes` replace top-level keys."""
    metrics = {name: METRICS[name]() for name in stages}
    if "evaluate" in stages:
        kept = {"float"} | ({"pruned"} if "prune" in stages else set())
        kept |= {"int8", "dynamic_range"} if "quantize" in stages else set()
        for stage in ("evaluate", "export"):
            if stage in metrics:
                files = [file for file in metrics[stage]["files"] if file["name"] in kept]
                metrics[stage]["files"] = files
        if "export" in metrics:
            names = [file["name"] for file in metrics["export"]["files"]]
            metrics["export"]["deploy"] = f"{'int8' if 'int8' in names else names[-1]}.tflite"
    seconds = {"data": 0.41, "load": 6.2, "train": 18.2, "tune": 64.9, "narrow": 7.7, "prune": 21.3,
               "cluster": 5.1, "quantize": 9.6}  # fmt: skip
    schedules = {"train": train_schedule(), "prune": prune_schedule()}
    run = {
        "name": "digits",
        "seed": 7,
        "created": "2026-11-21T05:20:31+00:00",
        "config": {
            "run": {"name": "digits", "seed": 7},
            "data": {"task": "classification"},
            "train": {"epochs": 40},
            "tune": {"search_space": SEARCH_SPACE},
        },
        "config_text": CONFIG_TEXT,
        "stages": [
            {
                "stage": name,
                "key": hashlib.sha256(name.encode()).hexdigest(),
                "digest": hashlib.sha256(b"d" + name.encode()).hexdigest(),
                "seconds": seconds.get(name, 4.7),
                "cached": name in ("data", "train"),
                "metrics": metrics[name],
            }
            for name in stages
        ],
        "versions": {
            "python": "3.11.7", "slimline": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.1",
            "tf_keras": "2.21.0", "tensorflow-model-optimization": "0.8.1", "numpy": "2.4.6",
        },
        "host": {
            "cpu": "AMD EPYC 7B13", "cores": 2, "platform": "Linux-6.1-x86_64", "python": "3.11.7",
        },
        "commands": ["slimline run configs/digits.yaml --name digits"],
        "schedules": {name: rows for name, rows in schedules.items() if name in stages},
        "kernels": kernels() if "export" in stages else {},
        "importance": IMPORTANCE if "tune" in stages else None,
    }  # fmt: skip
    return {**run, **changes}


def history(epochs: int, start: float, floor: float, seed: int) -> list[dict[str, float]]:
    """Loss that falls from `start` to `floor`, with noise, and accuracy that rises with it."""
    noise = np.random.default_rng(seed).normal(0, 0.02, (epochs, 2))
    rows = []
    for epoch in range(1, epochs + 1):
        fall = math.exp(-5 * epoch / epochs)
        loss = floor + (start - floor) * fall * (1 + noise[epoch - 1, 0])
        val_loss = floor * 3 + (start - floor) * fall * (1.1 + noise[epoch - 1, 1])
        rows.append(
            {
                "epoch": epoch,
                "loss": loss,
                "accuracy": max(0.1, 1 - loss * 0.4),
                "val_loss": val_loss,
                "val_accuracy": max(0.1, 1 - val_loss * 0.36 + noise[epoch - 1, 1] * 0.1),
                "learning_rate": 0.002 * (1 + math.cos(math.pi * epoch / epochs)) / 2,
                "seconds": 0.41,
            }
        )
    return rows


def train_schedule() -> list[list[float]]:
    """Two epochs of warm-up, then a cosine, as float32 like the recorded one."""
    total, warmup = 40 * STEPS_PER_EPOCH, 2 * STEPS_PER_EPOCH
    rows = []
    for step in range(total):
        share = (step - warmup) / (total - warmup)
        rate = 0.002 * (step / warmup if step < warmup else (1 + math.cos(math.pi * share)) / 2)
        rows.append([step, float(np.float32(rate))])
    return rows


def prune_schedule() -> list[list[float]]:
    """A cubic rise from 30 % to 80 % in steps of ten, at a constant rate."""
    rows = []
    for step in range(12 * STEPS_PER_EPOCH):
        share = min(1.0, (step // 10 * 10) / 300)
        rows.append([step, 0.0005, 0.8 - 0.5 * (1 - share) ** 3])
    return rows


def kernels() -> dict[str, list[dict[str, Any]]]:
    """Two kernels in the float file and in the shipped one, most of the shipped values zero."""
    random = np.random.default_rng(5)
    found: dict[str, list[dict[str, Any]]] = {}
    for file, dtype in (("float", "float32"), ("int8", "int8")):
        found[file] = []
        for layer, shape in (("conv_1", [16, 3, 3, 1]), ("logits", [10, 64])):
            counts = random.integers(0, 20, 48).tolist()
            zeros = 0 if file == "float" else 4 * sum(counts)
            found[file].append(
                {
                    "name": f"net_1/{layer}_1/kernel", "shape": shape, "dtype": dtype,
                    "low": -0.5, "high": 0.6, "counts": counts, "zeros": zeros,
                    "parameters": sum(counts) + zeros, "distinct": 200,
                }
            )  # fmt: skip
    return found


def data_metrics() -> dict[str, Any]:
    return {
        "digest": hashlib.sha256(b"digits").hexdigest(),
        "source": "digits",
        "task": {
            "name": "classification", "outputs": 10, "class_names": list("0123456789"),
            "target_scale": [], "target_offset": [],
        },
        "class_names": [str(digit) for digit in range(10)],
        "input_dtype": "float32",
        "encoding": None,
        "input_shape": [8, 8, 1],
        "samples": {split: sum(counts) for split, counts in CLASS_COUNTS.items()},
        "class_counts": CLASS_COUNTS,
        "duplicates": {"train/validation": 0, "train/test": 2, "validation/test": 0},
        "preprocessing": {"scale": 0.0625, "offset": 0.0, "placement": "sidecar"},
    }  # fmt: skip


def train_metrics() -> dict[str, Any]:
    rows = history(40, 2.2, 0.01, 0)
    return {
        "epochs_run": 40, "best_epoch": 33, "optimizer": "adam", "parameters": 37994,
        "train": {"loss": 0.012, "accuracy": 0.9991},
        "validation": {"loss": 0.061, "accuracy": 0.9833, "samples": 360},
        "history": rows, "seconds": 18.2,
    }  # fmt: skip


def tune_metrics() -> dict[str, Any]:
    scores = [0.9583, 0.9722, None, 0.9667, 0.9806, 0.9611, 0.9750, 0.9861, 0.9778, 0.9833]
    trials = [
        {
            "trial": f"{index:04d}",
            "hyperparameters": {
                "train.optimizer.learning_rate": 10 ** (-4 + 2 * ((index * 7) % 10) / 10),
                "model.dropout": round(0.05 * ((index * 3) % 10), 2),
                "train.batch_size": 32 if index % 2 else 64,
            },
            "score": score,
            "epochs": 12 if score else 1,
            "status": "ended" if score else "failed",
            "seconds": 5.2 if score else 0.8,
            "error": None if score else "the loss was nan at step 31 with learning_rate 0.0251",
        }
        for index, score in enumerate(scores)
    ]
    return {
        "algorithm": "bayesian", "objective": "val_accuracy", "trials": trials,
        "best_trial": "0007", "replaced": True,
        "baseline": {"accuracy": 0.9833, "loss": 0.061, "samples": 360},
        "winner": {"accuracy": 0.9861, "loss": 0.055, "samples": 360},
        "history": history(30, 2.1, 0.01, 1), "seconds": 64.9,
    }  # fmt: skip


def prune_metrics() -> dict[str, Any]:
    shapes = {
        "conv_1": [3, 3, 1, 16], "conv_2": [3, 3, 16, 32], "hidden_dense": [512, 64],
        "logits": [64, 10],
    }  # fmt: skip
    layers = []
    for name, shape in shapes.items():
        parameters = math.prod(shape)
        target = 0.5 if name == "conv_1" else 0.8
        zeros = round(parameters * target)
        layers.append(
            {
                "layer": name,
                "tensor": f"{name}/kernel",
                "shape": shape,
                "parameters": parameters,
                "zeros": zeros,
                "sparsity": zeros / parameters,
                "target": target,
            }
        )
    return {
        "sparsity": 0.7988, "overall_sparsity": 0.7911, "layers": layers,
        "distribution": {
            "kind": "sensitivity",
            "zeros": sum(layer["zeros"] for layer in layers),
            "curves": [
                {
                    "layer": layer["layer"],
                    "points": [
                        [share, 0.02 * number + share**6 / (number + 1)]
                        for share in (0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
                    ],
                }
                for number, layer in enumerate(layers)
            ],
        },
        "block_size": None, "sparsity_m_by_n": None,
        "skipped": [{"layer": "conv_1_norm", "reason": "BatchNormalization has no kernel"}],
        "history": history(12, 0.4, 0.02, 2),
        "validation": {"accuracy": 0.9833, "loss": 0.063, "samples": 360},
        "crossing": {"layers": 9, "max_relative_difference": 3.1e-7}, "seconds": 21.3,
    }  # fmt: skip


def distill_metrics() -> dict[str, Any]:
    return {
        "student": {"architecture": "mlp", "units": [16]}, "temperature": 4.0, "alpha": 0.7,
        "features": {"layers": {"dense_1": "hidden_dense"}, "weight": 2.0, "loss": "cosine"},
        "epochs_run": 20, "best_epoch": 20, "optimizer": "adam", "parameters": 1_210,
        "train": {"accuracy": 0.99, "loss": 0.04}, "history": history(20, 2.0, 0.05, 4),
        "validation": {"accuracy": 0.9694, "loss": 0.11, "samples": 360}, "seconds": 12.0,
        "teacher": {
            "parameters": 30_154,
            "validation": {"accuracy": 0.9861, "loss": 0.05, "samples": 360},
        },
    }  # fmt: skip


def narrow_metrics() -> dict[str, Any]:
    def layer(name: str, kind: str, before: int, after: int, reason: str | None) -> dict[str, Any]:
        return {
            "layer": name, "class": kind, "before": before, "after": after, "reason": reason,
        }  # fmt: skip

    return {
        "parameters": {"before": 36_000, "after": 14_000},
        "macs": {"before": 120_000, "after": 59_700},
        "layers": [
            layer("conv_1", "Conv2D", 16, 11, None), layer("hidden_dense", "Dense", 64, 32, None),
            layer("logits", "Dense", 10, 10, "is an output of the model"),
        ],
        "groups": [
            {"layers": ["conv_1"], "units": 16, "removed": 5,
             "loss_rise": [[3, 0.01], [6, 0.05], [9, 0.2], [12, 0.9]]},
            {"layers": ["hidden_dense"], "units": 64, "removed": 32,
             "loss_rise": [[15, -0.001], [30, 0.02], [45, 0.03], [60, 0.4]]},
        ],
        "proof": {"samples": 32, "max_relative_difference": 2.1e-7},
        "latency": {
            "runtime": "tflite-micro 0.1", "cpu": "a processor", "target": 0.6, "tolerance": 0.1,
            "chosen": 0.47,
            "tried": [
                {"macs_fraction": 0.02, "ms": 0.4, "whole_ms": 4.0, "fraction": 0.1},
                {"macs_fraction": 0.47, "ms": 2.3, "whole_ms": 4.0, "fraction": 0.575},
            ],
            "final": {"ms": 2.38, "whole_ms": 4.0, "fraction": 0.595},
        },
        "narrowed": {"accuracy": 0.91, "loss": 0.31, "samples": 360},
        "history": history(2, 0.1, 0.02, 4), "best_epoch": 2,
        "validation": {"accuracy": 0.9819, "loss": 0.061, "samples": 360}, "seconds": 7.7,
    }  # fmt: skip


def cluster_metrics() -> dict[str, Any]:
    kernel = {"tensor": "kernel", "normalized": False}
    return {
        "layers": [
            {**kernel, "layer": "conv_1", "shape": [3, 3, 1, 16], "parameters": 144, "zeros": 72,
             "sparsity": 0.5, "distinct": 8, "number_of_clusters": 8},
            {**kernel, "layer": "hidden_dense", "shape": [512, 64], "parameters": 32768,
             "zeros": 26214, "sparsity": 0.8, "distinct": 31, "number_of_clusters": 32},
        ],
        "skipped": [{"layer": "conv_1_norm", "class": "BatchNormalization", "reason": "no kernel"}],
        "zeros": 30490, "history": history(3, 0.1, 0.02, 2), "best_epoch": 3,
        "validation": {"accuracy": 0.9833, "loss": 0.063, "samples": 360},
        "crossing": {"layers": 9, "max_relative_difference": 3.1e-7}, "seconds": 5.1,
    }  # fmt: skip


def quantize_metrics() -> dict[str, Any]:
    def tensors(weights: str, bias: str) -> list[dict[str, Any]]:
        return [
            {"name": f"t{i}", "shape": [8], "dtype": dtype, "parameters": 8, "zeros": 4,
             "sparsity": 0.5, "distinct": 5}
            for i, dtype in enumerate([weights] * 4 + [bias] * 4)
        ]  # fmt: skip

    common = {"sparsity": 0.7988}
    rung = {"settings": {}, "seconds": 1.9, "reason": None, "size_bytes": 43160,
            "gzip_bytes": 14912, "validation": {"accuracy": 0.9556}, "accuracy_drop": 0.0305,
            "kept": False}  # fmt: skip
    rungs = [
        {**rung, "rung": "post-training int8", "tried": "ranges from least to largest value"},
        {"settings": {}, "seconds": 0.1, "reason": "the TFLite converter refuses it", "kept": None,
         "rung": "better calibration", "tried": "ranges of least squared error"},
        {**rung, "rung": "quantization-aware training", "tried": "10 epochs", "kept": True,
         "accuracy_drop": 0.0055, "seconds": 14.0},
    ]  # fmt: skip
    noise = [("hidden_dense", ["relu_3"], 24.1, 21.3), ("conv_1", [], 36.2, 36.2),
             ("conv_2", ["relu_2"], 37.5, 33.0), ("logits", [], -1.5, None),
             ("flatten", [], None, 33.0)]  # fmt: skip
    errors = {
        "reference": "float", "split": "validation", "samples": 32, "outlier": "hidden_dense",
        "layers": [{"layer": layer, "fused": fused, "operators": ["CONV_2D"],
                    "sqnr_db": gathered, "own_sqnr_db": own}
                   for layer, fused, own, gathered in noise],
    }  # fmt: skip
    return {
        "method": "auto",
        "metric": "accuracy",
        "ladder": {"promise": {"max_accuracy_drop": 0.01}, "rungs": rungs, "layer_errors": None},
        "files": [
            {"name": "int8", "scheme": "int8", "file": "int8.tflite", "size_bytes": 43160,
             "gzip_bytes": 14912, "tensors": tensors("int8", "int32"), "layer_errors": errors,
             "validation": {"accuracy": 0.9806, "loss": 0.066, "samples": 360}, **common},
            {"name": "dynamic_range", "scheme": "dynamic_range", "file": "dynamic_range.tflite",
             "size_bytes": 42588, "gzip_bytes": 15230, "tensors": tensors("int8", "float32"),
             "layers": [{"layers": "conv_1, relu_1", "scheme": "int16x8", "operator": "CONV_2D",
                         "kernel": "int8"}],
             "validation": {"accuracy": 0.9833, "loss": 0.064, "samples": 360}, **common},
        ],
        "reference": {"accuracy": 0.9861, "loss": 0.055, "samples": 360},
        "qat": {
            "history": history(6, 0.2, 0.03, 3),
            "quantized_layers": ["conv_1", "conv_2", "hidden_dense", "logits"],
            "left_to_converter": [{"layer": "flatten", "reason": "has no weights"}],
        },
        "representative": {"samples": 200, "class_counts": [20] * 10},
        "seconds": 9.6,
    }  # fmt: skip


def tensor(name: str) -> dict[str, Any]:
    """One input or output as the sidecar tells it."""
    dtype = "int8" if name == "int8" else "float32"
    return {"name": "x", "shape": [1, 8, 8, 1], "dtype": dtype, "scale": None, "zero_point": None}


def export_metrics() -> dict[str, Any]:
    agreement = {"float": 1.0, "pruned": 1.0, "int8": 0.992, "dynamic_range": 0.996}
    return {
        "files": [
            {
                "name": name, "file": f"{name}.tflite", "size_bytes": 1, "gzip_bytes": 1,
                "sha256": hashlib.sha256(name.encode()).hexdigest(), "inputs": [tensor(name)],
                "outputs": [tensor(name)],
                "parity": {
                    "samples": 256, "max_difference": 2e-7 if share == 1 else 0.071,
                    "mean_difference": 3e-8 if share == 1 else 0.0094, "spread": 6.31,
                    "label_agreement": share,
                },
            }
            for name, share in agreement.items()
        ],
        "deploy": "int8.tflite",
    }  # fmt: skip


def confusions(right: int) -> dict[str, Any]:
    """Confusions of ten classes with so many right answers in all; the mistakes are nines as 4."""
    matrix = np.diag(CLASS_COUNTS["test"])
    matrix[9, 9] -= 360 - right
    matrix[9, 4] += 360 - right
    recall, precision = (np.diag(matrix) / matrix.sum(axis=axis) for axis in (1, 0))
    return {
        "confusion": matrix.tolist(), "recall": recall.tolist(), "precision": precision.tolist(),
    }  # fmt: skip


def make_other_run(task: str) -> dict[str, Any]:
    """The sample run as if its models had another task: its metric, its details, its units."""
    metric, names, details = OTHER_TASKS[task]
    run = make_run()
    metrics = {entry["stage"]: entry["metrics"] for entry in run["stages"]}
    run["config"]["data"]["task"] = task
    data, evaluate = metrics["data"], metrics["evaluate"]
    data |= {"task": {"name": task, "class_names": names}, "class_names": names}
    data["class_counts"] = (
        {split: [9, 8] for split in CLASS_COUNTS} if task == "multi_label" else {}
    )
    better = metric == "accuracy"
    evaluate |= {
        "task": task, "metric": metric, "higher_is_better": better, "class_names": names,
    }  # fmt: skip
    for index, row in enumerate(evaluate["files"]):
        right = row.pop("accuracy")
        row.pop("accuracy_interval")
        value = right if better else 0.5 + 0.004 * index
        row |= {metric: value, f"{metric}_interval": [value - 0.02, value + 0.02]}
        row |= {"details": details, "mcnemar": None, "paired": None}
        if index:
            row["paired"] = {"difference": 0.004 * index, "interval": [-0.001, 0.009 * index]}
    rename(metrics, metric)
    metrics["quantize"] |= {"metric": metric, "ladder": None}
    metrics["tune"]["objective"] = f"val_{metric}"
    metrics["quantize"]["representative"]["class_counts"] = None
    return run


def rename(value: Any, metric: str) -> None:
    """Calls the accuracy of every history and validation by another name, in place."""
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            rename(inner, metric)
    if isinstance(value, dict):
        for old in [key for key in value if key in ("accuracy", "val_accuracy")]:
            value[old.replace("accuracy", metric)] = value.pop(old)


OTHER_TASKS: dict[str, tuple[str, list[str], dict[str, Any]]] = {
    "binary": ("accuracy", ["no", "yes"], {
        "confusion": [[90, 10], [5, 255]], "recall": [0.9, 0.98], "precision": [0.947, 0.962],
        "auc": 0.987}),
    "multi_label": ("accuracy", ["red", "round"], {
        "f1_micro": 0.91, "exact_match": 0.85, "labels": [
            {"label": "red", "precision": 0.9, "recall": 0.8, "f1": 0.847},
            {"label": "round", "precision": 1.0, "recall": None, "f1": None}]}),
    "regression": ("mae", ["quality"], {"rmse": 0.61, "r2": 0.34}),
    "reconstruction": ("mse", [], {"psnr": 21.4}),
}  # fmt: skip


def evaluate_metrics() -> dict[str, Any]:
    def row(
        name: str, right: int, interval: list[float], pair: tuple[int, int, float] | None,
        sizes: tuple[int, int, int], sparsity: float, latency: float, arena: int | None,
    ) -> dict[str, Any]:  # fmt: skip
        size, gzipped, xz = sizes
        return {
            "name": name, "file": f"{name}.tflite", "accuracy": right / 360,
            "accuracy_interval": interval, "loss": 0.07 + (360 - right) * 1e-3,
            "details": confusions(right),
            "mcnemar": pair and {"float_only": pair[0], "file_only": pair[1], "p_value": pair[2]},
            "paired": None,
            "size_bytes": size, "gzip_bytes": gzipped, "xz_bytes": xz,
            "entropy_bytes": round(0.9 * xz),
            "raw_ratio": 154660 / size, "gzip_ratio": 154660 / gzipped,
            "parameters": 37994, "non_zeros": round(37994 * (1 - sparsity)), "sparsity": sparsity,
            "macs": 146368,
            "latency_ms": {"median": latency, "p95": latency * 1.4, "runs": 300, "threads": 1,
                           "runtime": "ai-edge-litert 2.3.0", "cpu": "AMD EPYC 7B13"},
            "arena_bytes": arena,
            "arena_note": None if arena else "tflite-micro has no hybrid kernels for CONV_2D",
        }  # fmt: skip

    return {
        "split": "test", "samples": 360, "seed": 7, "task": "classification",
        "metric": "accuracy", "higher_is_better": True, "class_names": list("0123456789"),
        "host": {"cpu": "AMD EPYC 7B13", "cores": 2, "platform": "Linux", "python": "3.11.7"},
        "files": [
            row("float", 355, [0.9679, 0.9941], None, (154660, 142310, 137020), 0.0, 0.0213, 21504),
            row("pruned", 354, [0.9641, 0.9923], (2, 1, 1.0), (154660, 41870, 36920), 0.7988,
                0.0212, 21504),
            row("int8", 351, [0.9532, 0.9868], (5, 1, 0.21875), (43160, 14912, 13604), 0.7988,
                0.0097, 7920),
            row("dynamic_range", 353, [0.9604, 0.9905], (3, 1, 0.625), (42588, 15230, 13988),
                0.7988, 0.0151, None),
        ],
    }  # fmt: skip


def load_metrics() -> dict[str, Any]:
    """A model from a file, with its pre-flight check: an obstacle and a layer left."""
    yes = {"bridged": "yes", "pruned": "yes", "clustered": "yes", "qat": "yes", "exported": "yes"}
    layers = [
        {"name": "rescaling", "class": "Rescaling", "parameters": 0, "macs": 0, "calls": 1, **yes,
         "pruned": "nothing", "clustered": "nothing", "qat": "converter"},
        {"name": "conv2d", "class": "Conv2D", "parameters": 160, "macs": 9_216, "calls": 1, **yes},
        {"name": "attention", "class": "Own", "parameters": 5_000, "macs": None, "calls": 2, **yes,
         "bridged": "as_itself", "qat": "converter", "exported": "no"},
        {"name": "logits", "class": "Dense", "parameters": 1_280_000, "macs": 1_280_000,
         "calls": 1, **yes},
    ]  # fmt: skip
    remarks = [
        {"aspect": "qat", "answer": "converter", "reason": "tfmot cannot quantize the class",
         "fix": "", "blocks": False, "layers": ["rescaling", "attention"]},
        {"aspect": "exported", "answer": "no", "reason": "TFLite has no operator Erfinv",
         "fix": "replace the layer by built-in layers that TFLite knows", "blocks": True,
         "layers": ["attention"]},
    ]  # fmt: skip
    return {
        "origin": "Keras 3.15.1 .keras",
        "parameters": 1_285_160,
        "validation": {"loss": 0.31, "accuracy": 0.91, "samples": 360},
        "overrides": {},
        "preflight": {
            "name": "brought", "class": "Functional", "parameters": 1_285_160, "macs": 1_289_216,
            "macs_uncounted": ["attention"],
            "inputs": [{"name": "image", "shape": [None, None, 8, 1], "dtype": "float32"}],
            "outputs": [{"name": "logits", "shape": [None, 10], "dtype": "float32"}],
            "answers": {"task": "classification", "task_source": "data.task tells", "loss": None,
                        "labels": None, "output": "logits", "output_source": "it ends in linear"},
            "conversion": {"state": "fails", "reason": "", "int8": "not_tried", "int8_reason": ""},
            "layers": layers, "remarks": remarks, "plan": ["prune: 3 layers", "qat: 2 layers"],
            "notes": [],
        },
    }  # fmt: skip


METRICS = {
    "data": data_metrics, "load": load_metrics, "train": train_metrics, "tune": tune_metrics,
    "distill": distill_metrics, "narrow": narrow_metrics, "prune": prune_metrics,
    "cluster": cluster_metrics,
    "quantize": quantize_metrics, "export": export_metrics, "evaluate": evaluate_metrics,
}  # fmt: skip
