"""`tune`: hyperparameter search over what shapes a trial: model, training, fine-tuning."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section
from pipeline.config.figures import ValidationFigure
from pipeline.config.search_space import FloatSpace, Space

Algorithm = Literal["random", "grid", "bayesian", "hyperband", "evolution"]
SizeFigure = Literal["gzip_bytes", "size_bytes", "parameters"]
# Keys that belong to some algorithms only: key → algorithm → its default.
OWN_KEYS: dict[str, dict[str, int]] = {
    "max_trials": {"random": 10, "bayesian": 10, "evolution": 50},
    "factor": {"hyperband": 3},
    "population_size": {"evolution": 10},
    "tournament_size": {"evolution": 3},
}


class Constraints(Section):
    """What a trial must keep to win; each figure is measured as the objective is."""

    max_gzip_bytes: int | None = Field(
        None, ge=1, description="of the trial's .tflite file, gzip level 9"
    )
    max_size_bytes: int | None = Field(None, ge=1, description="of the trial's .tflite file")
    max_parameters: int | None = Field(None, ge=1, description="weights of the model, zeros too")
    max_accuracy_drop: float | None = Field(
        None, ge=0, le=1, description="on validation data, against the model before tune"
    )
    min_val_accuracy: float | None = Field(None, ge=0, le=1, description="on validation data")
    max_val_loss: float | None = Field(None, gt=0, description="on validation data")
    max_val_mae: float | None = Field(None, gt=0, description="on validation data, source units")
    max_val_mse: float | None = Field(None, gt=0, description="on validation data")

    def given(self) -> dict[str, float]:
        """Returns the constraints that are set."""
        return {name: value for name, value in self if value is not None}


def default_search_space() -> dict[str, Space]:
    """The one hyperparameter that always matters: the learning rate."""
    return {
        "train.optimizer.learning_rate": FloatSpace.model_validate(
            {"float": (1e-4, 1e-2), "sampling": "log"}
        )
    }


class TuneConfig(Section):
    """What is searched, how, for how long, and by which figure."""

    algorithm: Algorithm = Field(
        "random", description="evolution: regularized evolution (Real et al., AAAI 2019)"
    )
    search_space: dict[str, Space] = Field(
        default_factory=default_search_space,
        min_length=1,
        description="path of a field of model, train, prune or quantize.qat → its values",
    )
    objective: ValidationFigure | SizeFigure = Field(
        "val_loss", description="val_loss, val_ and the task's metric, or a size"
    )
    constraints: Constraints = Constraints()
    max_trials: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="default 10, evolution 50; hyperband and grid count their own",
    )
    epochs: int = Field(10, ge=1, description="of each trial's training; hyperband: of the longest")
    factor: int | None = Field(
        None, ge=2, description="hyperband only, default 3: one trial in so many goes on"
    )
    population_size: int | None = Field(
        None, ge=2, description="evolution only, default 10: the youngest trials, parents to be"
    )
    tournament_size: int | None = Field(
        None, ge=2, description="evolution only, default 3: the best of so many is mutated"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, value: Any) -> Any:
        """Gives the keys that this algorithm needs their defaults; the others stay None."""
        if not isinstance(value, dict):
            return value
        algorithm = value.get("algorithm", "random")
        filled = dict(value)
        for key, defaults in OWN_KEYS.items():
            if filled.get(key) is None and isinstance(algorithm, str) and algorithm in defaults:
                filled[key] = defaults[algorithm]
        return filled

    @model_validator(mode="after")
    def _fits(self) -> TuneConfig:
        for key, defaults in OWN_KEYS.items():
            if getattr(self, key) is None or self.algorithm in defaults:
                continue
            if key == "max_trials":
                counts = {"hyperband": "epochs and factor", "grid": "the values of the space"}
                raise ValueError(
                    f"{self.algorithm} counts its own trials from {counts[self.algorithm]}; "
                    "leave max_trials out"
                )
            raise ValueError(f"{key} belongs to {' or '.join(defaults)}, not to {self.algorithm}")
        if self.population_size is not None and self.tournament_size is not None:
            if self.tournament_size > self.population_size:
                raise ValueError(
                    f"tournament_size {self.tournament_size} is above population_size "
                    f"{self.population_size}"
                )
            if self.max_trials is not None and self.max_trials <= self.population_size:
                raise ValueError(
                    f"max_trials {self.max_trials} leaves evolution nothing to do after its first "
                    f"{self.population_size} random trials; raise it or lower population_size"
                )
        self._check_sizes()
        return self

    def _check_sizes(self) -> None:
        """Refuses a search for the smallest model that asks nothing of its quality."""
        limited = any("val_" in name or "accuracy" in name for name in self.constraints.given())
        if not self.objective.startswith("val_") and not limited:
            raise ValueError(
                f"objective {self.objective} alone is won by the worst model; add a constraint "
                "such as constraints: {max_accuracy_drop: 0.01} or {min_val_accuracy: 0.95}"
            )
