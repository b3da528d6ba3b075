"""What a quantization made, and the way of a single method to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.ranges import CALIBRATED_SCHEMES
from pipeline.quantization.layer_errors import layer_notes, measure_file_layers
from pipeline.quantization.mixed import NAME as MIXED
from pipeline.quantization.mixed import make_mixed
from pipeline.quantization.one_file import describe_file, file_notes, make_request
from pipeline.quantization.quality import check_quality
from pipeline.quantization.source import source_after_training, train_with_quantization

if TYPE_CHECKING:
    from pipeline.quantization.material import Material
    from pipeline.quantization.source import Source


@dataclass(frozen=True)
class Made:
    """The files of the stage.

    Attributes:
        source: that they were converted from.
        files: their rows in the manifest.
        paths: of them, in the same order.
        ladder: of method auto: what was tried; see `ladder.climb`.
    """

    source: Source
    files: list[dict[str, Any]]
    paths: list[Path]
    ladder: dict[str, Any] | None = None

    def notes(self) -> tuple[str, ...]:
        """Returns the lines the user should read."""
        return (*self.source.notes, *file_notes(self.files), *layer_notes(self.files))


def make_files(material: Material) -> Made:
    """Makes one file per scheme, after training or with quantization in the loop.

    Raises:
        PromiseError: a file is not what was promised, or loses more than allowed.
    """
    from pipeline.tflite.convert import convert

    settings, data = material.settings, material.data
    trains = settings.method == "qat"
    source = (
        train_with_quantization(material, settings.fine_tuning)
        if trains
        else source_after_training(material, settings.cross_layer_equalization)
    )
    saved = material.work / "saved_model"
    source.save(saved, material.batch_size)
    requests = [
        make_request(settings, name, material.model) for name in settings.schemes if name != MIXED
    ]
    samples = data.train.x[material.representative]
    paths = convert(saved, requests, samples, material.output, material.converter())
    files = {
        request.name: describe_file(request, paths[request.name], material) for request in requests
    }
    if MIXED in settings.schemes:
        files[MIXED], paths[MIXED] = make_mixed(saved, material)
    for file in files.values():
        check_quality(file, data.task, settings)
        if file["scheme"] in CALIBRATED_SCHEMES:
            errors = measure_file_layers(paths[file["name"]], saved, trains, material)
            file["layer_errors"] = errors
    ordered = settings.schemes
    return Made(source, [files[name] for name in ordered], [paths[name] for name in ordered])
