"""By what trials are judged: the objective, and the constraints that come before it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError
from pipeline.tasks.task import TASKS, higher_is_better

if TYPE_CHECKING:
    from pipeline.config.schema import Config

FILE_FIGURES = ("gzip_bytes", "size_bytes")


@dataclass(frozen=True)
class Limit:
    """A figure's bound: at most `bound` if `upper`, else at least."""

    figure: str
    bound: float
    upper: bool

    def excess(self, value: float) -> float:
        """Returns how far `value` is beyond the bound, relative to it; 0 if it keeps it."""
        beyond = value - self.bound if self.upper else self.bound - value
        return max(0.0, beyond / max(abs(self.bound), 1e-12))

    def words(self) -> str:
        """Returns it as one would write it."""
        return f"{self.figure} {'≤' if self.upper else '≥'} {self.bound:g}"


@dataclass(frozen=True)
class Rule:
    """Of two trials the one with the smaller violation is better, then the better objective.

    Attributes:
        objective: a figure of a trial, such as "val_loss".
        limits: what must be kept.
    """

    objective: str
    limits: tuple[Limit, ...] = ()

    @property
    def maximizes(self) -> bool:
        """True if a larger objective is better."""
        return higher_is_better(self.objective)

    def violation(self, figures: Mapping[str, float]) -> float:
        """Returns the sum of the relative excesses over all limits; 0 if all are kept."""
        return sum(limit.excess(figures[limit.figure]) for limit in self.limits)

    def rank(self, figures: Mapping[str, float]) -> tuple[float, float]:
        """Returns what is smaller for the better of two trials."""
        value = figures[self.objective]
        return self.violation(figures), -value if self.maximizes else value

    def broken(self, figures: Mapping[str, float]) -> str:
        """Says which limits are not kept, with the figures; "" if all are."""
        return ", ".join(
            f"{limit.figure} is {figures[limit.figure]:.6g}, expected {limit.words()}"
            for limit in self.limits
            if limit.excess(figures[limit.figure]) > 0
        )

    def told_score(self, figures: Mapping[str, float], worst: float | None) -> float:
        """Returns the one number that an oracle is told.

        That of a trial that breaks a limit is worse than all before it, and the worse the
        further it is beyond: an oracle then moves towards what is possible.

        Args:
            figures: of the trial.
            worst: the worst score told before, None at first.
        """
        value = figures[self.objective]
        violation = self.violation(figures)
        if violation == 0:
            return value
        pick = min if self.maximizes else max
        base = value if worst is None else pick(value, worst)
        penalty = violation * max(abs(base), 1e-12)
        return base - penalty if self.maximizes else base + penalty


def rule_of(config: Config, baseline: Mapping[str, float] | None = None) -> Rule:
    """Returns the rule of a configuration.

    Args:
        config: `tune` says it.
        baseline: validation figures of the model before tune, for max_accuracy_drop.
    """
    limits = []
    for name, bound in config.tune.constraints.given().items():
        if name == "max_accuracy_drop":
            reference = 0.0 if baseline is None else baseline["accuracy"]
            limits.append(Limit("val_accuracy", reference - bound, upper=False))
        else:
            limits.append(Limit(name[4:], bound, upper=name.startswith("max_")))
    return Rule(config.tune.objective, tuple(limits))


def check_constraints(config: Config) -> None:
    """Refuses a constraint on what the trials of this run do not have.

    The objective is checked with the task (config/task_fit.py).

    Raises:
        ConfigError: a metric of another task, or a drop with nothing to drop from.
    """
    metric = f"val_{TASKS[config.data.task].metric}"
    possible = {"val_loss", metric, "parameters", *FILE_FIGURES}
    for limit, name in zip(rule_of(config).limits, config.tune.constraints.given(), strict=True):
        if limit.figure not in possible:
            raise ConfigError(
                f"tune.constraints.{name}: data.task {config.data.task} has {metric}, not "
                f"{limit.figure}"
            )
    drop = config.tune.constraints.max_accuracy_drop is not None
    if drop and not trains_before(config):
        raise ConfigError(
            "tune.constraints.max_accuracy_drop: no model comes before tune to drop from; put "
            "train before tune in stages, or use min_val_accuracy"
        )


def trains_before(config: Config) -> bool:
    """True if the chain has a model before `tune`."""
    stages = config.stages
    return "train" in stages and stages.index("train") < stages.index("tune")


def not_finite(figures: Mapping[str, Any]) -> str | None:
    """Returns the name of the first figure that is NaN or infinite."""
    return next((name for name, value in figures.items() if not math.isfinite(value)), None)
