"""How much each layer suffers from fewer bits, and how many bytes they save: on files that ran."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.artifacts.files import sha256_file
from pipeline.artifacts.measurements import Measurements
from pipeline.config.mixed_precision import MixedPrecision
from pipeline.errors import ConfigError
from pipeline.training.sensitivity import SENSITIVITY_FILE

if TYPE_CHECKING:
    from pipeline.quantization.material import Material
    from pipeline.tflite.conversion_request import ConversionRequest
    from pipeline.tflite.flatbuffer import ModelFile
    from pipeline.tflite.layer_schemes import LayerSchemes


@dataclass(frozen=True)
class Sensitivity:
    """What was measured of each layer at each choice.

    Attributes:
        layers: names of those with a kernel whose scheme is free.
        choices: schemes, the widest first.
        harm: float64 (layers, choices), rise of the loss when only this layer has the choice and
            all others the widest; NaN where its kernel is of the same type as with a wider one.
        saved: float64 (layers, choices), bytes after gzip that this saves of the file.
        loss: of the file in which all have the widest choice.
        gzip_bytes: of it.
        samples: of the validation split.
    """

    layers: tuple[str, ...]
    choices: tuple[str, ...]
    harm: np.ndarray
    saved: np.ndarray
    loss: float
    gzip_bytes: int
    samples: int

    def to_json(self, chosen: Sequence[int]) -> dict[str, Any]:
        """Returns the figures, and what each layer got."""
        return {
            "split": "validation",
            "samples": self.samples,
            "reference": {"loss": self.loss, "gzip_bytes": self.gzip_bytes},
            "layers": [
                {
                    "layer": layer,
                    "scheme": self.choices[chosen[row]],
                    "choices": [
                        {
                            "scheme": choice,
                            "loss_rise": float(self.harm[row, column]),
                            "saved_gzip_bytes": int(self.saved[row, column]),
                        }
                        for column, choice in enumerate(self.choices)
                        if not np.isnan(self.harm[row, column])
                    ],
                }
                for row, layer in enumerate(self.layers)
            ],
        }


def assign(request: ConversionRequest, schemes: Mapping[str, str]) -> ConversionRequest:
    """Returns a request in which single layers have schemes by their names.

    Args:
        request: with exceptions of the user's, which come first.
        schemes: layer → scheme.
    """
    assert request.layers is not None  # made by `make_mixed`
    patterns = tuple((glob.escape(layer), scheme) for layer, scheme in schemes.items())
    layers = replace(request.layers, patterns=(*request.layers.patterns, *patterns))
    return replace(request, layers=layers)


def free_layers(request: ConversionRequest, in_float: ModelFile) -> dict[str, list[str]]:
    """Lists the layers with kernels that no pattern of the user has.

    Args:
        request: with the user's exceptions.
        in_float: the float file.

    Returns:
        Layer → operators that read its kernels.
    """
    from pipeline.tflite.layer_of_operator import layers_of_operators
    from pipeline.tflite.verify_layer_schemes import reads_kernel

    layers = _layers(request)
    found: dict[str, list[str]] = {}
    names = layers_of_operators(in_float, layers.names)
    for operator, own in zip(in_float.main.operators, names, strict=True):
        if own and layers.scheme_of(own) is None and reads_kernel(in_float, operator):
            found.setdefault(own[0], []).append(operator.name)
    return found


def measure_sensitivity(
    request: ConversionRequest,
    settings: MixedPrecision,
    saved_model: Path,
    in_float: Path,
    material: Material,
) -> Sensitivity:
    """Makes a file for each layer and choice, and measures it on validation samples.

    Each figure is kept in the working folder: a killed measurement goes on after the last.

    Args:
        request: of the mixed file, with the user's exceptions.
        settings: choices and samples.
        saved_model: that is converted.
        in_float: the float file of it, with ranges for integer files.
        material: what is quantized.

    Raises:
        ConfigError: no layer has a kernel that can get fewer bits.
    """
    from pipeline.tflite.flatbuffer import read_model
    from pipeline.tflite.verify_layer_schemes import kernel_type

    choices: tuple[str, ...] = settings.ordered_choices
    layers = free_layers(request, read_model(in_float))
    types = {
        layer: [[kernel_type(request, c, name) for name in operators] for c in choices]
        for layer, operators in layers.items()
    }
    # A layer whose kernel has one type whatever the choice has nothing to choose.
    layers = {name: found for name, found in layers.items() if types[name][0] != types[name][-1]}
    if not layers:
        raise ConfigError(
            f"quantize.mixed_precision: no layer has a kernel with more than one form of "
            f"{', '.join(choices)}"
        )
    trials = _Trials(request, saved_model, in_float, material, settings.sample_count)
    widest = dict.fromkeys(layers, choices[0])
    loss, size = trials.measure(widest)
    harm = np.full((len(layers), len(choices)), np.nan)
    saved = np.zeros_like(harm)
    harm[:, 0] = 0.0
    material.progress.begin("sensitivity", len(layers), "layer")
    try:
        for row, layer in enumerate(layers):
            for column, choice in enumerate(choices):
                if column and types[layer][column] not in types[layer][:column]:
                    lower, smaller = trials.measure({**widest, layer: choice})
                    harm[row, column], saved[row, column] = lower - loss, size - smaller
            material.progress.advance()
    finally:
        material.progress.end()
    return Sensitivity(tuple(layers), choices, harm, saved, loss, size, trials.samples)


class _Trials:
    """Makes files and measures them on the same validation samples."""

    def __init__(
        self,
        request: ConversionRequest,
        saved_model: Path,
        in_float: Path,
        material: Material,
        samples: int,
    ) -> None:
        from pipeline.data.representative import choose_representative

        self._request = replace(request, name="trial", bias_correction=False)
        self._saved_model, self._in_float, self._material = saved_model, in_float, material
        data = material.data
        chosen = choose_representative(data.validation, data.task, samples, material.seed)
        self._x, self._y = data.validation.x[chosen], data.validation.y[chosen]
        self.samples = len(chosen)
        self._measurements = Measurements(material.work / SENSITIVITY_FILE)
        # The rest is in the stage's key, whose working folder this is.
        self._basis = [sha256_file(in_float), repr(self._request), chosen.tolist()]

    def measure(self, schemes: Mapping[str, str]) -> tuple[float, int]:
        """Returns the loss and the bytes after gzip of the file with these schemes."""
        basis = [*self._basis, dict(schemes)]
        loss, size = self._measurements.recall(basis, lambda: self._make_and_measure(schemes))
        return loss, int(size)

    def _make_and_measure(self, schemes: Mapping[str, str]) -> list[float]:
        from pipeline.compression.sizes import gzip_size
        from pipeline.tasks.measure import measure
        from pipeline.tflite.convert import convert
        from pipeline.tflite.interpreter import load

        material = self._material
        folder = material.work / "mixed"
        samples = material.data.train.x[material.representative]
        request = assign(self._request, schemes)
        paths = convert(
            self._saved_model, [request], samples, folder, material.converter(), self._in_float
        )
        path = paths[request.name]
        found = measure(material.data.task, load(path).predict(self._x), self._y)
        return [float(found["loss"]), gzip_size(path.read_bytes())]


def _layers(request: ConversionRequest) -> LayerSchemes:
    assert request.layers is not None  # made by `make_mixed`
    return request.layers
