"""The model with weights of equal ranges, as what is converted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.quantization.source import Source, model_as_it_is

if TYPE_CHECKING:
    from pipeline.quantization.material import Material

_PROOF_SAMPLES = 64
# A MobileNetV2 has 51 layers that are left; the manifest names them all.
_NAMED = 5


def equalize_layers(material: Material) -> Source:
    """Returns the model as the source of post-training quantization, its layers equalized.

    The model itself keeps its weights: it has the others only while it is saved.

    Raises:
        PromiseError: the outputs on representative samples are not the same.
        ConfigError: the model has no graph.
    """
    from pipeline.bridge.conversion import save_for_conversion
    from pipeline.bridge.equalization import equalize, prove_equal

    model = material.model
    equalization = equalize(model)
    samples = material.data.train.x[material.representative[:_PROOF_SAMPLES]]
    difference = prove_equal(model, equalization, samples)

    def save(folder: Path, batch: int) -> None:
        with equalization.applied():
            save_for_conversion(model, folder, batch)

    return Source(
        save,
        model_as_it_is(model).predict,
        notes=(_note(equalization.pairs, equalization.skipped),),
        equalization={**equalization.metrics(), "output_difference": difference},
    )


def _note(pairs: tuple[tuple[str, str], ...], skipped: dict[str, str]) -> str:
    # That the last layer ends the model is no news.
    left = [f"{name}: {why}" for name, why in skipped.items() if "output of the model" not in why]
    words = _some([f"{first} and {second}" for first, second in pairs], ", ") or "no two layers"
    return f"equalized: {words}" + (f"; left as they are: {_some(left, '; ')}" if left else "")


def _some(entries: list[str], separator: str) -> str:
    more = len(entries) - _NAMED
    return separator.join([*entries[:_NAMED], *([f"{more} more"] if more > 0 else [])])
