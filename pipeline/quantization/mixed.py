"""The file `mixed`: bits given out by measured sensitivity, until a budget is met."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.compression.precision import find_furthest, greedy_path
from pipeline.config.ranges import CALIBRATED_SCHEMES
from pipeline.errors import PromiseError
from pipeline.quantization.one_file import describe_file, make_request
from pipeline.quantization.quality import describe_loss, loss_of
from pipeline.quantization.sensitivity import Sensitivity, assign, measure_sensitivity

if TYPE_CHECKING:
    from pipeline.quantization.material import Material
    from pipeline.tflite.conversion_request import ConversionRequest

NAME = "mixed"


def make_mixed(saved_model: Path, material: Material) -> tuple[dict[str, Any], Path]:
    """Makes the file with as many bits for each layer as a budget allows.

    Args:
        saved_model: that is converted.
        material: what is quantized; its settings hold the budget.

    Returns:
        The file's row in the manifest, with "mixed_precision", and its path.

    Raises:
        PromiseError: the budget cannot be met; the best file is in `material.failed`.
    """
    settings = material.settings.mixed_precision
    assert settings is not None  # `config.quantize` requires it for scheme mixed
    request = _mixed_request(material)
    in_float = _float_file(request, saved_model, material)
    found = measure_sensitivity(request, settings, saved_model, in_float, material)
    path = greedy_path(found.harm, found.saved)
    candidates = _Candidates(request, saved_model, in_float, found, path, material)
    place = candidates.search(*settings.budget)
    if place is None:
        raise candidates.give_up(*settings.budget)
    row, made = candidates.make(place)
    target = material.output / made.name
    shutil.copyfile(made, target)
    name, value = settings.budget
    row["mixed_precision"] = {
        "budget": {name: value},
        "activations": settings.activations,
        **found.to_json([int(choice) for choice in path[place]]),
        "steps": len(path) - 1,
        "tried": candidates.tried(),
    }
    return row, target


def _mixed_request(material: Material) -> ConversionRequest:
    """The request of the file before any layer has its bits."""
    from pipeline.bridge.layer_names import layer_names
    from pipeline.tflite.layer_schemes import LayerSchemes

    settings = material.settings
    assert settings.mixed_precision is not None
    request = make_request(settings, settings.mixed_precision.scheme, material.model)
    layers = request.layers
    if layers is None:
        layers = LayerSchemes((), layer_names(material.model))
    return replace(request, name=NAME, layers=layers, block_size=None)


def _float_file(request: ConversionRequest, saved_model: Path, material: Material) -> Path:
    """Returns the float file that every mixed one is made of."""
    from pipeline.quantization.layer_errors import convert_in_float
    from pipeline.tflite.convert import calibrate

    if request.scheme not in CALIBRATED_SCHEMES:
        return convert_in_float(saved_model, material)
    path = material.work / "mixed" / "calibrated.tflite"
    samples = material.data.train.x[material.representative]
    calibrate(saved_model, request, samples, path, material.converter())
    return path


@dataclass
class _Candidates:
    """The files along the path from the widest to the narrowest, made when they are asked for."""

    request: ConversionRequest
    saved_model: Path
    in_float: Path
    sensitivity: Sensitivity
    path: list[np.ndarray]
    material: Material
    made: dict[int, tuple[dict[str, Any], Path]] = field(default_factory=dict)

    def search(self, budget: str, value: float) -> int | None:
        """Returns the place on the path that the budget buys: the most bits, or the fewest bytes.

        Args:
            budget: max_gzip_bytes, or a bound on quality.
            value: of it.
        """
        last = len(self.path) - 1
        if budget == "max_gzip_bytes":
            back = find_furthest(len(self.path), lambda n: self._size(last - n) <= value)
            return None if back is None else last - back
        return find_furthest(len(self.path), lambda place: self._loss(place) <= value)

    def make(self, place: int) -> tuple[dict[str, Any], Path]:
        """Makes the file of a place, checks what was promised of it, and measures it."""
        from pipeline.tflite.convert import convert

        if place not in self.made:
            material, found = self.material, self.sensitivity
            chosen = [found.choices[choice] for choice in self.path[place]]
            request = assign(self.request, dict(zip(found.layers, chosen, strict=True)))
            samples = material.data.train.x[material.representative]
            folder = material.work / "mixed" / str(place)
            paths = convert(
                self.saved_model, [request], samples, folder, material.converter(), self.in_float
            )
            file = paths[request.name]
            self.made[place] = describe_file(request, file, material), file
        return self.made[place]

    def tried(self) -> list[dict[str, Any]]:
        """Returns what was measured of each file that was made, the widest first."""
        rows = []
        for place in sorted(self.made):
            key, loss = loss_of(self.made[place][0])
            rows.append({"step": place, "gzip_bytes": self._size(place), key: loss})
        return rows

    def give_up(self, budget: str, value: float) -> PromiseError:
        """Keeps the file that comes nearest where the user finds it, and says so."""
        sized = budget == "max_gzip_bytes"
        place = min(self.made, key=self._size if sized else self._loss)
        row, path = self.made[place]
        self.material.failed.mkdir(parents=True, exist_ok=True)
        kept = self.material.failed / path.name
        shutil.copyfile(path, kept)
        key, loss = loss_of(row)
        words = describe_loss(key, loss, self.material.data.task.metric)
        fix = (
            "allow more bytes, prune more, or add fewer bits to choices"
            if sized
            else "allow more, or add more bits to choices"
        )
        return PromiseError(
            f"quantize: {NAME}: no choice of bits keeps {budget} {value}; the best file has "
            f"{row['gzip_bytes']} bytes after gzip, {words} on validation data and is kept in "
            f"{kept}; {fix}"
        )

    def _size(self, place: int) -> int:
        return int(self.make(place)[0]["gzip_bytes"])

    def _loss(self, place: int) -> float:
        row = self.make(place)[0]
        finite = np.isfinite(row["validation"]["loss"])
        return loss_of(row)[1] if finite else float("inf")
