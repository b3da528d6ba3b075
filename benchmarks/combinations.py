"""prune, cluster and QAT combined: Slimline beside tfmot's `collab_opts` on the same network.

    SLIMLINE_DATA=… python benchmarks/combinations.py

configs/fashion_combined.yaml (small_cnn, Fashion-MNIST, 10,000 training images, three seeds) with
prune → QAT, cluster → QAT and prune → cluster → QAT, and the same in tfmot's documented calls:
PQAT, CQAT, PCQAT, from the same float weights, with the same epochs, rates and batches. Counted in
the int8 files: zeros of the pruned kernels that are no longer zero, and the most different codes of
one scale (a channel of a convolution, a whole dense kernel) of clustered ones. Writes
combinations.json; what is finished is kept in the artifacts folder and not made again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from beside_plain import (
    describe_run,
    load_settings,
    parse_options,
    run_ours,
    run_plain,
    write_result,
)

from pipeline.compression.clusters import most_distinct_in_a_channel
from pipeline.compression.sparsity import count_distinct
from pipeline.tflite.flatbuffer import Tensor, read_model
from pipeline.tflite.inspect import kernels_by_operator

CONFIG = "fashion_combined"
# Name → Slimline's stages between train and quantize, tfmot's scheme.
COMBINATIONS = {
    "pruned": (("prune",), "PQAT"),
    "clustered": (("cluster",), "CQAT"),
    "pruned_clustered": (("prune", "cluster"), "PCQAT"),
}
# Not 0, whose test figures were seen while the configuration was written.
SEEDS = (1, 2, 3)
END = ("quantize", "export", "evaluate", "report")


def plain_chains() -> dict[str, Any]:
    """Returns the chains of the plain side, with the epochs and rates of the configuration."""
    config = load_settings(CONFIG)
    sections = {"prune": config.prune, "cluster": config.cluster, "quantize": config.quantize.qat}
    shared = {
        name: {"epochs": section.epochs, "learning_rate": section.optimizer.learning_rate}
        for name, section in sections.items()
    }  # fmt: skip
    own: dict[str, dict[str, Any]] = {
        "prune": {"sparsity": config.prune.pruning_schedule.final_sparsity},
        "cluster": {"number_of_clusters": config.cluster.number_of_clusters},
    }
    chains: dict[str, Any] = {"plain": {"steps": [], "float": True}}
    for name, (stages, scheme) in COMBINATIONS.items():
        steps = [{"step": stage, **shared[stage], **own[stage]} for stage in stages]
        if stages == ("prune", "cluster"):
            steps[1] = {**steps[1], "preserve_sparsity": True}
        chains[f"{name}_before"] = {"steps": steps, "float": True}
        chains[name] = {"steps": [*steps, {"step": "quantize", "scheme": scheme,
                                           **shared["quantize"]}]}  # fmt: skip
    return chains


def count(before: Path, after: Path) -> dict[str, Any]:
    """Compares the kernels of a float file with those of the int8 file made of it.

    Returns:
        `zeros` before and `zeros_lost`: kernels' zeros, and those that the int8 file has no more
        (by number, kernel by kernel); `most_distinct`: kernel's shape → different codes of one
        scale.
    """
    old, new = _kernels(before), _kernels(after)
    assert sorted(old) == sorted(new), f"{before} and {after} have other kernels"
    zeros = {shape: int((old[shape].data == 0).sum()) for shape in old}  # type: ignore[union-attr]
    kept = {shape: int((new[shape].data == 0).sum()) for shape in new}  # type: ignore[union-attr]
    return {
        "zeros": sum(zeros.values()),
        "zeros_lost": sum(max(zeros[shape] - kept[shape], 0) for shape in old),
        "most_distinct": {"×".join(map(str, shape)): _distinct(new[shape]) for shape in new},
    }


def _kernels(path: Path) -> dict[tuple[int, ...], Tensor]:
    """Returns the kernels of a file by shape; the shapes of this network are all different."""
    subgraph = read_model(path).main
    return {tensor.shape: tensor for _, tensor in kernels_by_operator(subgraph)}


def _distinct(kernel: Tensor) -> int:
    data = np.asarray(kernel.data)
    if len(kernel.scales) <= 1:
        return count_distinct(data)
    return most_distinct_in_a_channel(data, kernel.quantized_dimension)


def run_seed(seed: int, chosen: argparse.Namespace) -> dict[str, Any]:
    """Runs both sides with one seed, which draws the splits, the weights and the order."""
    seeded = (f"run.seed={seed}",)
    ours, run = {}, None
    for name, (stages, _) in COMBINATIONS.items():
        chain = ",".join(("train", *stages, *END))
        asked = (*seeded, f"stages=[{chain}]")
        run = run_ours(CONFIG, chosen, f"combinations_{name}_{seed}", asked)
        before = run.files[list(run.files)[-2]]
        ours[name] = describe_run(run) | {"counted": count(before, run.files["int8"])}
    assert run is not None
    dropout = load_settings(CONFIG).model.dropout
    plain = run_plain(CONFIG, run, chosen, plain_chains(), {"dropout": dropout}, seeded)
    folder = plain.pop("folder")
    for name in COMBINATIONS:
        files = (folder / f"{name}_before_float.tflite", folder / f"{name}_int8.tflite")
        plain[name]["counted"] = count(*files)
    return {"ours": ours, "plain": plain}


def main() -> None:
    """Runs both sides with each seed and writes the result."""
    chosen = parse_options(str(__doc__))
    seeds = {str(seed): run_seed(seed, chosen) for seed in SEEDS}
    write_result(
        "combinations",
        {
            "data": "Fashion-MNIST, 10,000 training, 3,000 validation, 10,000 test images",
            "clusters": load_settings(CONFIG).cluster.number_of_clusters,
            "seeds": seeds,
        },
    )
    for name in COMBINATIONS:
        for seed, found in seeds.items():
            left, right = found["ours"][name], found["plain"][name]
            print(
                f"{name}, seed {seed}",
                f"ours {left['files']['int8']['accuracy']:.4f} {left['counted']}",
                f"tfmot {right['int8']['accuracy']:.4f} {right['counted']}", sep="\n  ",
            )  # fmt: skip


if __name__ == "__main__":
    main()
