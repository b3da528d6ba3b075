"""Half of a ResNet-8's multiply-accumulates removed as whole filters: accuracy and milliseconds.

    SLIMLINE_DATA=… python benchmarks/narrowed_resnet.py

configs/fashion_resnet_8_narrowed.yaml (Fashion-MNIST at 32×32, 10,000 training images, seed 0)
against the int8 file of the same float model. tfmot removes no filters, so beside it stands what it
offers for half the weights: prune_low_magnitude to 50 % zeros in as many epochs from the same float
weights, then int8. Each int8 file is timed in tflite-micro and in LiteRT on one thread,
in turn. Writes narrowed_resnet.json; what is finished is kept in the artifacts folder.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from beside_plain import (
    describe_run,
    load_settings,
    parse_options,
    run_ours,
    run_plain,
    write_result,
)

CONFIG = "fashion_resnet_8_narrowed"
GOAL = {"macs": 0.5, "points": 1.0, "tflite_micro": 1.5}


def plain_chains() -> dict[str, Any]:
    """Returns the chains of the plain side; `int8` is what the narrowed file is compared with."""
    narrow = load_settings(CONFIG).narrow
    prune = {
        "step": "prune", "sparsity": 0.5, "epochs": narrow.epochs,
        "learning_rate": narrow.optimizer.learning_rate,
    }  # fmt: skip
    return {"int8": {"steps": [], "float": True}, "pruned_50": {"steps": [prune]}}


def time_in_both(paths: dict[str, Path]) -> dict[str, dict[str, float]]:
    """Returns runtime → file → milliseconds of an invoke, timed in turn."""
    from pipeline.tflite.relative_latency import time_files

    return {
        runtime: dict(zip(paths, time_files(list(paths.values()), runtime), strict=True))
        for runtime in ("tflite_micro", "litert")
    }


def main() -> None:
    """Runs both sides, times the files and writes the result."""
    chosen = parse_options(str(__doc__))
    run = run_ours(CONFIG, chosen, "benchmark_narrowed_resnet")
    ours = describe_run(run)
    plain = run_plain(CONFIG, run, chosen, plain_chains())
    folder = plain.pop("folder")
    times = time_in_both(
        {
            "int8": folder / "int8_int8.tflite",
            "pruned_50": folder / "pruned_50_int8.tflite",
            "narrowed": run.files["int8"],
        }
    )
    files = ours["files"]
    compared = {
        "macs": files["int8"]["macs"] / plain["int8"]["int8"]["macs"],
        "points": 100 * (files["float"]["accuracy"] - files["int8"]["accuracy"]),
        **{name: row["int8"] / row["narrowed"] for name, row in times.items()},
        **{f"{name}_pruned_50": row["int8"] / row["pruned_50"] for name, row in times.items()},
    }
    result = {
        "data": "Fashion-MNIST at 32×32, 10,000 training, 3,000 validation, 10,000 test images",
        "seed": 0,
        "goal": GOAL,
        "compared": compared,
        "latency_ms": times,
        "ours": ours,
        "plain": plain,
    }
    write_result("narrowed_resnet", result)
    print(json.dumps(compared, indent=1))


if __name__ == "__main__":
    main()
