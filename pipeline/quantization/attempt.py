"""One try of the ladder: a file made with some settings, and what it costs."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import sha256_file, sha256_json, write_json_atomic
from pipeline.config.quantize import QuantizeConfig
from pipeline.errors import ArtifactError, ConfigError, PromiseError, TrainingError
from pipeline.quantization.one_file import describe_file, make_request
from pipeline.quantization.quality import is_kept, loss_of
from pipeline.quantization.source import source_after_training, train_with_quantization

if TYPE_CHECKING:
    from pipeline.quantization.material import Material
    from pipeline.quantization.source import Source

SCHEME = "int8"
RECORD = "attempt.json"
# What keeps a rung from being tried. Data, disk and bugs are no matter of the rung.
NOT_TRIED = (ArtifactError, ConfigError, PromiseError, TrainingError)

NO_SHARED_VALUES = (
    "not tried: it gives each channel a factor of its own, and the values of clustered kernels "
    "would no longer be shared"
)


@dataclass(frozen=True)
class Change:
    """What a try sets in the section `quantize`.

    Attributes:
        words: of it, for the table of rungs.
        values: fields of the section, as in a configuration.
    """

    words: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempt:
    """A try.

    Attributes:
        rung: of the ladder.
        change: what was set.
        seconds: that it took, training included.
        file: row of the file in the manifest; None: it could not be tried.
        path: of the file.
        source: that it was converted from.
        saved: the SavedModel of it.
        reason: why it could not be tried.
    """

    rung: str
    change: Change
    seconds: float
    file: dict[str, Any] | None = None
    path: Path | None = None
    source: Source | None = None
    saved: Path | None = None
    reason: str | None = None

    def to_json(self, settings: QuantizeConfig) -> dict[str, Any]:
        """Returns the row of the table of rungs."""
        row = {
            "rung": self.rung,
            "tried": self.change.words,
            "settings": dict(self.change.values),
            "seconds": round(self.seconds, 3),
            "reason": self.reason,
        }
        if self.file is None:
            return {**row, "kept": None}
        key, loss = loss_of(self.file)
        sizes = {name: self.file[name] for name in ("size_bytes", "gzip_bytes", "validation")}
        return {**row, **sizes, key: loss, "kept": is_kept(self.file, settings)}


class Sources:
    """The model in the forms that are converted without training, each saved once.

    Args:
        material: what is quantized.
    """

    def __init__(self, material: Material) -> None:
        self._material = material
        self._found: dict[bool, tuple[Source, Path]] = {}

    def get(self, equalized: bool) -> tuple[Source, Path]:
        """Returns a form and its SavedModel.

        Raises:
            ConfigError, PromiseError: the layers cannot be equalized.
        """
        if equalized not in self._found:
            source = source_after_training(self._material, equalized)
            saved = self._material.work / ("equalized" if equalized else "saved_model")
            source.save(saved, self._material.batch_size)
            self._found[equalized] = source, saved
        return self._found[equalized]


def try_after_training(rung: str, change: Change, sources: Sources, material: Material) -> Attempt:
    """Converts the model without training; a try that was finished before a kill is taken up again.

    Args:
        rung: of the ladder.
        change: of the settings.
        sources: the model in the forms that can be converted.
        material: what is quantized.
    """
    started = time.perf_counter()
    values = {**_plain(material.settings), "method": "ptq", "qat": None, **change.values}
    folder = material.work / "ladder" / sha256_json(values)[:16]
    if values["cross_layer_equalization"] and material.clustered:
        return Attempt(rung, change, 0.0, reason=NO_SHARED_VALUES)
    try:
        source, saved = sources.get(values["cross_layer_equalization"])
        attempt = _recall(folder, rung, change, source, saved)
        if attempt is not None:
            return attempt
        attempt = _convert(rung, change, values, source, saved, folder, material)
    except NOT_TRIED as error:
        return Attempt(rung, change, time.perf_counter() - started, reason=str(error))
    attempt = replace(attempt, seconds=time.perf_counter() - started)
    record = {"file": attempt.file, "seconds": attempt.seconds, "sha256": _digest(folder)}
    write_json_atomic(folder / RECORD, record)
    return attempt


def try_with_training(rung: str, material: Material) -> Attempt:
    """Trains with quantization in the loop, and converts; goes on from its last checkpoint.

    Args:
        rung: of the ladder.
        material: what is quantized; its settings tell the fine-tuning.
    """
    started = time.perf_counter()
    tuning = material.settings.fine_tuning
    taught = "" if tuning.distillation is None else ", learning from the float model too"
    epochs = "1 epoch" if tuning.epochs == 1 else f"{tuning.epochs} epochs"
    change = Change(f"{epochs}{taught}", {"method": "qat"})
    values = _plain(material.settings) | {"method": "qat", "dense_scales": "per_channel"}
    folder = material.work / "ladder" / "qat"
    try:
        source = train_with_quantization(material, tuning)
        saved = material.work / "saved_model_qat"
        source.save(saved, material.batch_size)
        attempt = _convert(rung, change, values, source, saved, folder, material)
    except NOT_TRIED as error:
        return Attempt(rung, change, time.perf_counter() - started, reason=str(error))
    return replace(attempt, seconds=time.perf_counter() - started)


def _convert(
    rung: str,
    change: Change,
    values: Mapping[str, Any],
    source: Source,
    saved: Path,
    folder: Path,
    material: Material,
) -> Attempt:
    from pipeline.tflite.convert import convert

    settings = QuantizeConfig.model_validate_json(json.dumps(values))
    request = make_request(settings, SCHEME, material.model)
    shutil.rmtree(folder, ignore_errors=True)
    samples = material.data.train.x[material.representative]
    path = convert(saved, [request], samples, folder, material.converter())[SCHEME]
    return Attempt(rung, change, 0.0, describe_file(request, path, material), path, source, saved)


def _plain(settings: QuantizeConfig) -> dict[str, Any]:
    return settings.model_dump(mode="json")


def _recall(folder: Path, rung: str, change: Change, source: Source, saved: Path) -> Attempt | None:
    """Returns what was finished in an earlier run of this very stage, if its file is whole."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        whole = record["sha256"] == _digest(folder)
    except (OSError, ValueError, KeyError):
        return None
    if not whole:
        return None
    path = folder / f"{SCHEME}.tflite"
    return Attempt(rung, change, record["seconds"], record["file"], path, source, saved)


def _digest(folder: Path) -> str:
    return sha256_file(folder / f"{SCHEME}.tflite")
