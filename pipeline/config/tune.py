"""`tune`: hyperparameter search over fields of `model` and `train`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from pipeline.config.base import Section

Choice = int | float | str | bool
Sampling = Literal["linear", "log"]

# Behind a discriminator that is a function pydantic forgets that its input was JSON, and its
# strict mode refuses a list for a tuple (pydantic 2.14.3).
_AS_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)


class _Range(Section):
    sampling: Sampling = Field("linear", description="log: equal chances for equal ratios")

    @staticmethod
    def check_bounds(low: float, high: float, sampling: str, step: float | None) -> None:
        """Refuses an empty range, a log range from 0, and a step that leaves it."""
        if low >= high:
            raise ValueError(f"expected [low, high] with low < high, received [{low}, {high}]")
        if sampling == "log" and low <= 0:
            raise ValueError(f"sampling log needs a low above 0, received {low}")
        if step is not None and step > high - low:
            raise ValueError(f"step {step} is wider than the range [{low}, {high}]")
        if step is not None and sampling == "log":
            raise ValueError("step goes with sampling linear")


class FloatSpace(_Range):
    """{float: [low, high], sampling: linear|log, step: s}."""

    bounds: Annotated[tuple[float, float], _AS_TUPLE] = Field(
        alias="float", description="lowest and highest value"
    )
    step: float | None = Field(None, gt=0, description="distance of two values")

    @model_validator(mode="after")
    def _check(self) -> FloatSpace:
        self.check_bounds(*self.bounds, self.sampling, self.step)
        return self


class IntSpace(_Range):
    """{int: [low, high], sampling: linear|log, step: s}."""

    bounds: Annotated[tuple[int, int], _AS_TUPLE] = Field(
        alias="int", description="lowest and highest value"
    )
    step: int | None = Field(None, ge=1, description="distance of two values")

    @model_validator(mode="after")
    def _check(self) -> IntSpace:
        self.check_bounds(*self.bounds, self.sampling, self.step)
        return self


class ChoiceSpace(Section):
    """{choice: [a, b, …]}."""

    choice: Annotated[tuple[Choice, ...], _AS_TUPLE] = Field(min_length=2, description="the values")

    @model_validator(mode="after")
    def _check(self) -> ChoiceSpace:
        if len(set(map(repr, self.choice))) != len(self.choice):
            raise ValueError("choice: each value once")
        return self


_TAGS = {"float": FloatSpace, "int": IntSpace, "choice": ChoiceSpace}


def _tag(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((tag for tag in _TAGS if tag in value), None)
    return next((tag for tag, kind in _TAGS.items() if isinstance(value, kind)), None)


Space = Annotated[
    Annotated[FloatSpace, Tag("float")]
    | Annotated[IntSpace, Tag("int")]
    | Annotated[ChoiceSpace, Tag("choice")],
    Discriminator(
        _tag,
        custom_error_type="space",
        custom_error_message="{float: [low, high]}, {int: [low, high]} or {choice: [a, b]}",
    ),
]


def default_search_space() -> dict[str, Space]:
    """The one hyperparameter that always matters: the learning rate."""
    return {
        "train.optimizer.learning_rate": FloatSpace.model_validate(
            {"float": (1e-4, 1e-2), "sampling": "log"}
        )
    }


class TuneConfig(Section):
    """What is searched, how, for how long, and by which figure."""

    algorithm: Literal["random", "bayesian", "hyperband"] = "random"
    search_space: dict[str, Space] = Field(
        default_factory=default_search_space,
        min_length=1,
        description="path of a field of model or train → its values",
    )
    objective: Literal["val_accuracy", "val_loss"] = "val_loss"
    max_trials: int | None = Field(
        None, ge=1, le=100_000, description="default 10; hyperband counts its own"
    )
    epochs: int = Field(10, ge=1, description="of each trial; hyperband: of the longest")
    factor: int | None = Field(
        None, ge=2, description="hyperband only, default 3: one trial in so many goes on"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, value: Any) -> Any:
        """Gives the key that this algorithm needs its default; the other one stays None."""
        if not isinstance(value, dict):
            return value
        key, default = (
            ("factor", 3) if value.get("algorithm") == "hyperband" else ("max_trials", 10)
        )
        return {**value, key: default} if value.get(key) is None else value

    @model_validator(mode="after")
    def _fits(self) -> TuneConfig:
        if self.algorithm == "hyperband" and self.max_trials is not None:
            raise ValueError(
                "hyperband counts its own trials from epochs and factor; leave max_trials out"
            )
        if self.algorithm != "hyperband" and self.factor is not None:
            raise ValueError(f"factor belongs to hyperband, not to {self.algorithm}")
        return self
