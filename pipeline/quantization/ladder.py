"""`method: auto`: one rung after the other, until a file keeps its promise."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import write_json_atomic
from pipeline.errors import PromiseError
from pipeline.quantization.attempt import (
    SCHEME,
    Attempt,
    Change,
    Sources,
    try_after_training,
    try_with_training,
)
from pipeline.quantization.layer_errors import measure_file_layers
from pipeline.quantization.made import Made
from pipeline.quantization.quality import describe_loss, is_kept, loss_of
from pipeline.quantization.rungs import QAT, RUNGS

if TYPE_CHECKING:
    from pipeline.config.quantize import QuantizeConfig
    from pipeline.quantization.material import Material


def climb(material: Material) -> Made:
    """Tries rung after rung; stops at the first file that keeps the promise on validation data.

    Args:
        material: what is quantized; its settings hold the promise.

    Returns:
        The file, and every try before it: `ladder` is {"promise", "rungs", "layer_errors"}.

    Raises:
        PromiseError: no rung keeps it; the best file is in `material.failed`.
    """
    climber = _Climber(material)
    kept = climber.climb()
    if kept is None or kept.source is None or kept.file is None or kept.path is None:
        raise climber.give_up()
    path = material.output / f"{SCHEME}.tflite"
    shutil.copyfile(kept.path, path)
    if kept.file["layer_errors"] is None:
        kept.file["layer_errors"] = climber.measure_layers(kept)
    return Made(kept.source, [kept.file], [path], climber.to_json())


@dataclass
class _Climber:
    """Where the climb stands."""

    material: Material
    attempts: list[Attempt] = field(default_factory=list)
    layer_errors: dict[str, Any] | None = None

    @property
    def settings(self) -> QuantizeConfig:
        return self.material.settings

    def climb(self) -> Attempt | None:
        """Returns the first try that keeps the promise."""
        sources = Sources(self.material)
        for rung in RUNGS:
            if rung.reads_layers:
                self._find_worst_layers()
            changes = list(rung.changes(self.best, self.layer_errors))
            if not changes:
                self._keeps(Attempt(rung.name, Change("nothing"), 0.0, reason=self._reason()))
            for change in changes:
                attempt = try_after_training(rung.name, change, sources, self.material)
                if self._keeps(attempt):
                    return attempt
        trained = try_with_training(QAT, self.material)
        return trained if self._keeps(trained) else None

    @property
    def best(self) -> Attempt | None:
        """The try that loses least so far."""
        made = [attempt for attempt in self.attempts if attempt.file is not None]
        return min(made, key=lambda attempt: _rank(attempt), default=None)

    def measure_layers(self, attempt: Attempt) -> dict[str, Any]:
        """Measures the noise of each layer of a file."""
        assert attempt.path is not None and attempt.saved is not None
        trained = attempt.rung == QAT
        return measure_file_layers(attempt.path, attempt.saved, trained, self.material)

    def to_json(self) -> dict[str, Any]:
        """Returns what the manifest keeps."""
        return {
            "promise": promise(self.settings),
            "rungs": [attempt.to_json(self.settings) for attempt in self.attempts],
            "layer_errors": self.layer_errors,
        }

    def give_up(self) -> PromiseError:
        """Keeps the best file where the user finds it, and says so."""
        said = ", ".join(f"{name} {value}" for name, value in promise(self.settings).items())
        if self.best is None or self.best.path is None or self.best.file is None:
            reasons = "; ".join(f"{one.rung}: {one.reason}" for one in self.attempts)
            return PromiseError(f"quantize: no rung of the ladder could be tried: {reasons}")
        folder = self.material.failed
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{SCHEME}.tflite"
        shutil.copyfile(self.best.path, path)
        write_json_atomic(folder / "ladder.json", self.to_json())
        key, loss = loss_of(self.best.file)
        return PromiseError(
            f"quantize: no rung of the ladder keeps {said}; the best, {self.best.rung} "
            f"({self.best.change.words}), {describe_loss(key, loss, self._metric)} on validation "
            f"data and is kept in {path}; allow more, prune less, or give quantize.qat more epochs"
        )

    @property
    def _metric(self) -> str:
        return self.material.data.task.metric

    def _find_worst_layers(self) -> None:
        if self.best is not None:
            self.layer_errors = self.measure_layers(self.best)

    def _reason(self) -> str:
        """Says why there is no layer to make an exception of."""
        if self.layer_errors is None:
            return "no file was made whose layers could be measured"
        return str(self.layer_errors.get("reason", "fewer than two layers have noise of their own"))

    def _keeps(self, attempt: Attempt) -> bool:
        """Takes in a try, tells the user, and returns whether it keeps the promise."""
        self.attempts.append(attempt)
        self.material.progress.note(describe_attempt(attempt, self.settings, self._metric))
        return attempt.file is not None and is_kept(attempt.file, self.settings)


def promise(settings: QuantizeConfig) -> dict[str, float]:
    """Returns the bound by its name in the configuration."""
    bounds = ("max_accuracy_drop", "max_error_increase")
    return {name: getattr(settings, name) for name in bounds if getattr(settings, name) is not None}


def describe_attempt(attempt: Attempt, settings: QuantizeConfig, metric: str) -> str:
    """Says in a line what a try cost and gained."""
    start = f"{attempt.rung} ({attempt.change.words}):"
    if attempt.file is None:
        return f"{start} passed over: {attempt.reason}"
    words = describe_loss(*loss_of(attempt.file), metric)
    verdict = "kept" if is_kept(attempt.file, settings) else "not kept"
    size = f"{attempt.file['size_bytes'] / 1000:.1f} KB"
    return f"{start} {words}, {size}, {attempt.seconds:.1f} s: promise {verdict}"


def _rank(attempt: Attempt) -> tuple[bool, float, float]:
    """The less it loses the lower, then by its loss on validation data; not finite is the worst."""
    assert attempt.file is not None
    loss = attempt.file["validation"]["loss"]
    return not math.isfinite(loss), loss_of(attempt.file)[1], loss
