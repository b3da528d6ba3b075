"""What a trial does: which steps of the chain its search space reaches into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.tuning.objective import FILE_FIGURES, rule_of

if TYPE_CHECKING:
    from pipeline.config.schema import Config


@dataclass(frozen=True)
class Steps:
    """The steps of a trial, in their order.

    Attributes:
        trains: begins with a fresh model and trains it; else with the model before tune.
        prunes: prunes as the later stage will.
        quantizes: trains with quantization in the loop, as the later stage will.
        scheme: of the `.tflite` that it is converted to, to measure bytes; None: not measured.
    """

    trains: bool
    prunes: bool
    quantizes: bool
    scheme: str | None

    @property
    def fine_tunes(self) -> bool:
        """True if a trial reaches into stages behind tune."""
        return self.prunes or self.quantizes

    def to_json(self) -> dict[str, bool | str | None]:
        """Returns the fields as JSON values."""
        return dict(vars(self))


def steps_of(config: Config) -> Steps:
    """Returns what the trials of this configuration do.

    A trial runs the chain up to the last step that its space names: with quantize.qat.* it is
    also pruned if the chain prunes before it quantizes.
    """
    roots = {path.split(".")[0] for path in config.tune.search_space}
    quantizes = "quantize" in roots
    behind = stages_behind(config)
    prunes = "prune" in roots or (quantizes and "prune" in behind[: behind.index("quantize")])
    rule = rule_of(config)
    measured = {rule.objective, *(limit.figure for limit in rule.limits)}
    return Steps(
        trains=bool(roots & {"model", "train"}),
        prunes=prunes,
        quantizes=quantizes,
        scheme=shipped_scheme(config) if measured & set(FILE_FIGURES) else None,
    )


def stages_behind(config: Config) -> tuple[str, ...]:
    """Returns the stages of the chain after tune."""
    return config.stages[config.stages.index("tune") + 1 :]


def shipped_scheme(config: Config) -> str:
    """Returns the scheme of the file that the chain deploys."""
    return config.quantize.file_schemes[0] if "quantize" in stages_behind(config) else "float32"


def sections_read(config: Config) -> tuple[str, ...]:
    """Returns the sections of later stages that shape this search: part of its key."""
    if "tune" not in config.stages:
        return ()
    steps = steps_of(config)
    sections = ["prune"] if steps.prunes else []
    if steps.quantizes or (steps.scheme is not None and "quantize" in stages_behind(config)):
        sections.append("quantize")
    if steps.scheme is not None:
        sections.append("export.batch_size")
    return tuple(sections)
