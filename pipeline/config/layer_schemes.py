"""`quantize.layers`: single layers with another scheme than their file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from pipeline.config.base import Section

LayerScheme = Literal["float32", "int16x8", "int8", "int4", "int2"]
# What single layers of a file may have, by the scheme of the file. In a file of an integer scheme
# int4 means weights of 4 bits and activations in int8.
LAYER_SCHEMES: dict[str, tuple[LayerScheme, ...]] = {
    "int8": ("float32", "int16x8", "int8", "int4"),
    "int8x4": ("float32", "int16x8", "int8", "int4"),
    "int4": ("float32", "int8", "int4", "int2"),
    "int2": ("float32", "int8", "int4", "int2"),
}


class LayerQuantization(Section):
    """What differs for the layers whose name matches the pattern."""

    scheme: LayerScheme = Field(
        description="instead of the file's; int16x8 in integer files only, int2 in int4 and int2 "
        "files only"
    )


def check_layer_schemes(layers: Mapping[str, LayerQuantization], schemes: Iterable[str]) -> None:
    """Refuses what a file cannot have.

    Args:
        layers: name pattern → what differs.
        schemes: of the files.

    Raises:
        ValueError: a file takes no exceptions, or not this one.
    """
    for scheme in schemes if layers else ():
        possible = LAYER_SCHEMES.get(scheme)
        if possible is None:
            raise ValueError(
                f"layers: files of scheme {scheme} take no exceptions; leave {scheme} out, or "
                f"layers (schemes that do: {', '.join(LAYER_SCHEMES)})"
            )
        for pattern, layer in layers.items():
            if layer.scheme not in possible:
                raise ValueError(
                    f"layers.{pattern}: no layer of a file of scheme {scheme} can have "
                    f"{layer.scheme}; expected one of {', '.join(possible)}"
                )
