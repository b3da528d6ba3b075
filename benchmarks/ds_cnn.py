"""A DS-CNN on Fashion-MNIST as small as Slimline makes it, beside pruning and PQAT by plain tfmot.

    SLIMLINE_DATA=… python benchmarks/ds_cnn.py

configs/fashion_ds_cnn.yaml (10,000 training images, seed 0) against the plain int8 file of the same
float model, and against tfmot's documented PQAT at 80 % zeros from the same float weights, in as
many epochs as Slimline's stages have together. Writes ds_cnn.json; what is finished is kept in the
artifacts folder and not made again.
"""

from __future__ import annotations

from typing import Any

from beside_plain import (
    describe_run,
    load_settings,
    parse_options,
    run_ours,
    run_plain,
    write_result,
)

CONFIG = "fashion_ds_cnn"
SPARSITIES = (0.8,)
# tfmot's example of PQAT prunes for three epochs and trains with quantization for one.
QAT_PART = 0.1
GOAL = {"gzip_ratio": 3.0, "points": 0.5}


def plain_chains() -> dict[str, Any]:
    """Returns the chains of the plain side; `int8` is the file that both are compared with."""
    config = load_settings(CONFIG)
    epochs = config.narrow.epochs + config.prune.epochs
    aware_epochs = round(QAT_PART * epochs)
    chains: dict[str, Any] = {"int8": {"steps": [], "float": True}}
    for sparsity in SPARSITIES:
        prune = {
            "step": "prune", "sparsity": sparsity, "epochs": epochs - aware_epochs,
            "learning_rate": config.prune.optimizer.learning_rate,
        }  # fmt: skip
        aware = {
            "step": "quantize",
            "scheme": "PQAT",
            "epochs": aware_epochs,
            "learning_rate": 0.0003,
        }
        chains[f"pqat_{round(100 * sparsity)}"] = {"steps": [prune, aware]}
    return chains


def compare(file: dict[str, Any], plain: dict[str, Any], in_float: float) -> dict[str, float]:
    """Returns how many times smaller than the plain int8 file, and points below the float one."""
    return {
        "gzip_ratio": plain["gzip_bytes"] / file["gzip_bytes"],
        "points": 100 * (in_float - file["accuracy"]),
    }


def main() -> None:
    """Runs both sides and writes the result."""
    chosen = parse_options(str(__doc__))
    run = run_ours(CONFIG, chosen, "benchmark_ds_cnn")
    ours = describe_run(run)
    plain = run_plain(CONFIG, run, chosen, plain_chains())
    del plain["folder"]
    in_float = ours["files"]["float"]["accuracy"]
    against = plain["int8"]["int8"]
    compared = {"slimline": compare(ours["files"]["int8"], against, in_float)}
    for name in (name for name in plain if name != "int8"):
        compared[name] = compare(plain[name]["int8"], against, in_float)
    result = {
        "data": "Fashion-MNIST, 10,000 training, 3,000 validation, 10,000 test images",
        "seed": 0,
        "goal": GOAL,
        "compared": compared,
        "validation_drop": run.metrics["quantize"]["files"][0]["accuracy_drop"],
        "ours": ours,
        "plain": plain,
    }
    write_result("ds_cnn", result)
    for name, row in compared.items():
        print(f"{name}: {row['gzip_ratio']:.2f}× below plain int8, {row['points']:.2f} points")


if __name__ == "__main__":
    main()
