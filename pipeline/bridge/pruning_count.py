"""What pruning promised, counted: zeros of each kernel and of all, zero blocks, m of n."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.kernels import prunable_kernels
from pipeline.bridge.pruning_patterns import as_matrix
from pipeline.bridge.pruning_schedule import Sparsities
from pipeline.compression.weight_patterns import block_means, count_groups
from pipeline.errors import PromiseError

if TYPE_CHECKING:
    import tf_keras

    from pipeline.config.prune import PruneConfig


def count_zeros(
    plain: tf_keras.Model, targets: dict[str, Sparsities], config: PruneConfig
) -> list[dict[str, Any]]:
    """Counts the zeros of each pruned tensor and checks them against the target.

    Args:
        plain: the pruned model in tf_keras.
        targets: name of a layer → its sparsities.
        config: of the stage, which may ask for a pattern.

    Returns:
        Per tensor: layer, tensor, shape, parameters, zeros, sparsity, target, ties (weights that
        stayed because they equal the threshold); with a pattern `blocks` and `zero_blocks`, or
        `groups`.

    Raises:
        PromiseError: a tensor has fewer zeros or zero blocks than floor(target · their number) -
            ties, or a group has too few.
    """
    rows = []
    for name, sparsities in targets.items():
        for tensor, variable in prunable_kernels(plain.get_layer(name)).items():
            values, what = variable.numpy(), f"'{name}' {tensor}"
            row = {
                "layer": name,
                "tensor": tensor,
                "shape": list(values.shape),
                "parameters": values.size,
                "zeros": int(np.sum(values == 0)),
                "sparsity": float(np.mean(values == 0)),
                "target": sparsities.final,
                "ties": _ties(np.abs(values)),
            }
            if config.block_size is not None:
                means = block_means(as_matrix(values), *config.block_size)
                zero_blocks = _require(what, means, sparsities.final, "blocks")
                row |= {"blocks": means.size, "zero_blocks": zero_blocks}
            elif config.sparsity_m_by_n is not None:
                row["groups"] = _require_groups(what, values, *config.sparsity_m_by_n)
            else:
                _require(what, np.abs(values), sparsities.final, "weights")
            rows.append(row)
    return rows


def check_total(rows: list[dict[str, Any]], zeros: int, config: PruneConfig) -> None:
    """Checks the one target of a distribution, which each kernel's count was rounded for.

    Args:
        rows: of `count_zeros`.
        zeros: promised of all kernels together.
        config: of the stage.

    Raises:
        PromiseError: all kernels together have fewer.
    """
    height, width = config.block_size or (1, 1)
    # Half a weight or block of each kernel, ties and float32 as for each kernel by itself.
    slack = sum(height * width + _slack(row["parameters"]) + row["ties"] for row in rows)
    found, weights = sum(row["zeros"] for row in rows), sum(row["parameters"] for row in rows)
    if found < zeros - slack:
        raise PromiseError(
            f"prune: {found} of {weights} pruned weights are zero, expected at least "
            f"{zeros - slack} (distribution {config.spread}); report this model"
        )


def _require(what: str, magnitudes: np.ndarray, target: float, unit: str) -> int:
    """Counts zeros among the magnitudes of weights or blocks, and holds them to the target."""
    zeros, number = int(np.sum(magnitudes == 0)), magnitudes.size
    promised = int(np.floor(target * number)) - _ties(magnitudes) - _slack(number)
    if zeros < promised:
        raise PromiseError(
            f"prune: {what} has {zeros} zeros of {number} {unit}, expected at least {promised} "
            f"(final_sparsity {target:.6g}); report this model"
        )
    return zeros


def _ties(magnitudes: np.ndarray) -> int:
    """Counts what may have stayed because it equals the threshold: tfmot keeps all of it."""
    kept = magnitudes[magnitudes != 0]
    return int(np.sum(kept == kept.min())) - 1 if kept.size else 0


def _slack(number: int) -> int:
    """What tfmot's count may be off: it is taken in float32, exact to about one in 2^23."""
    return int(number // 2**22)


def _require_groups(what: str, values: np.ndarray, zeros: int, size: int) -> int:
    matrix = as_matrix(values).T
    groups, good = matrix.size // size, count_groups(matrix, zeros, size)
    if good < groups:
        raise PromiseError(
            f"prune: {what} has {groups - good} of {groups} groups of {size} weights with fewer "
            f"than {zeros} zeros; report this model"
        )
    return groups
