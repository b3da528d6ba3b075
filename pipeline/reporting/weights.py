"""The kernels of the shipped file beside those of the float file they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.reporting.headline import BASELINE

Kernel = Mapping[str, Any]
# What Keras appends when a name was taken, such as "_1" in "small_cnn_1/conv_2_1/convolution".
COUNTER = re.compile(r"_\d+$")


def build_weights(
    kernels: Mapping[str, Sequence[Kernel]] | None, shipped: str | None
) -> dict[str, Any] | None:
    """Pairs the kernels of two files layer by layer.

    Args:
        kernels: name of a file → its kernels, as `describe_kernels` returns them.
        shipped: name of the file that ships; without it, or unread, the last one counts.

    Returns:
        {"before" (None without another float file), "after", "layers": [{"name", "shape",
        "dtype", "sparsity", "before": histogram | None, "after": histogram}]}, or None
        where nothing was read.
    """
    if not kernels:
        return None
    after = shipped if shipped is not None and shipped in kernels else list(kernels)[-1]
    before = BASELINE if BASELINE in kernels and after != BASELINE else None
    references = list(kernels[before]) if before is not None else []
    names = layer_names([kernel["name"] for kernel in references or kernels[after]])
    layers = []
    for place, kernel in enumerate(kernels[after]):
        partner = find_partner(kernel, place, references, len(kernels[after]))
        name = layer_names([kernel["name"]])[0] if references else names[place]
        layers.append(
            {
                "name": name if partner is None else names[partner],
                "shape": kernel["shape"],
                "dtype": kernel["dtype"],
                "sparsity": kernel["zeros"] / kernel["parameters"] if kernel["parameters"] else 0.0,
                "before": None if partner is None else describe_histogram(references[partner]),
                "after": describe_histogram(kernel),
            }
        )
    return {"before": before, "after": after, "layers": layers}


def find_partner(
    kernel: Kernel, place: int, references: Sequence[Kernel], count: int
) -> int | None:
    """Place of the same layer's kernel in the float file: by order, else by a shape of its own."""
    if count == len(references) and references[place]["shape"] == kernel["shape"]:
        return place
    alike = [i for i, other in enumerate(references) if other["shape"] == kernel["shape"]]
    return alike[0] if len(alike) == 1 else None


def describe_histogram(kernel: Kernel) -> dict[str, Any]:
    """The part of a kernel's description that is drawn."""
    return {key: kernel[key] for key in ("low", "high", "counts", "parameters", "zeros",
                                         "distinct")}  # fmt: skip


def layer_names(tensors: Sequence[str]) -> list[str]:
    """Names of layers from names of tensors: "small_cnn_1/conv_2_1/convolution" is conv_2.

    The number that Keras appended to the model's name it appended to every layer's too; it is
    left out where all of them have it. Where two tensors get one name, both keep their own.
    """
    paths = [name.split(";")[0].split("/") for name in tensors]
    names = ["/".join(path[1:-1]) if len(path) > 2 else path[0] for path in paths]
    counters = {COUNTER.search(path[0]) and COUNTER.search(path[0]).group() for path in paths}  # type: ignore[union-attr]
    counter = counters.pop() if len(counters) == 1 else None
    if counter and all(name.endswith(counter) for name in names):
        names = [name.removesuffix(counter) for name in names]
    return names if len(set(names)) == len(names) else list(tensors)
