"""`tune.search_space`: for a path in the configuration, the values that a trial may give it.

train.optimizer.learning_rate: {float: [1e-4, 1e-2], sampling: log}
train.batch_size: {choice: [16, 32, 64]}
model.units: {list: {int: [16, 128]}, length: [1, 3]}
model.filters: {choice: [8, 16], when: {model.architecture: ds_cnn}}
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, JsonValue, Tag, model_validator

from pipeline.config.base import Section

Sampling = Literal["linear", "log"]
MAX_LENGTH = 64

# Behind a discriminator that is a function pydantic forgets that its input was JSON, and its
# strict mode refuses a list for a tuple (pydantic 2.14.3).
_AS_TUPLE = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
_AS_PAIR = BeforeValidator(lambda value: (value, value) if isinstance(value, int) else value)


class _Space(Section):
    when: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="only in trials where that path of the space has this value, or one of these",
    )

    def conditions(self) -> dict[str, tuple[Any, ...]]:
        """Returns path → the values of which it must have one."""
        return {
            path: tuple(value) if isinstance(value, list) else (value,)
            for path, value in self.when.items()
        }


class _Range(_Space):
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


class ChoiceSpace(_Space):
    """{choice: [a, b, …]}: numbers, texts, booleans, lists, or whole sections."""

    choice: Annotated[tuple[JsonValue, ...], _AS_TUPLE] = Field(
        min_length=1, description="the values"
    )

    @model_validator(mode="after")
    def _check(self) -> ChoiceSpace:
        if len(set(map(repr, self.choice))) != len(self.choice):
            raise ValueError("choice: each value once")
        if len(self.choice) == 1 and not self.when:
            raise ValueError(
                "choice: expected at least 2 values; one alone belongs into the configuration, "
                "or needs a `when`"
            )
        return self


Values = FloatSpace | IntSpace | ChoiceSpace
_TAGS: dict[str, type[_Space]] = {"float": FloatSpace, "int": IntSpace, "choice": ChoiceSpace}


def _tag(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((tag for tag in _TAGS if tag in value), None)
    return next((tag for tag, kind in _TAGS.items() if isinstance(value, kind)), None)


_RANGES_WORDS = "{float: [low, high]}, {int: [low, high]}"
_VALUES_WORDS = f"{_RANGES_WORDS} or {{choice: [a, b]}}"
_TaggedValues = Annotated[
    Annotated[FloatSpace, Tag("float")]
    | Annotated[IntSpace, Tag("int")]
    | Annotated[ChoiceSpace, Tag("choice")],
    Discriminator(_tag, custom_error_type="space", custom_error_message=_VALUES_WORDS),
]


class ListSpace(_Space):
    """{list: {int: [16, 128]}, length: [1, 3]}: a list of 1 to 3 values, each drawn for itself."""

    element: _TaggedValues = Field(alias="list", description="the values of each element")
    length: Annotated[tuple[int, int], _AS_TUPLE, _AS_PAIR] = Field(
        description="fewest and most elements, or their one number"
    )

    @model_validator(mode="after")
    def _check(self) -> ListSpace:
        low, high = self.length
        if not 1 <= low <= high <= MAX_LENGTH:
            raise ValueError(
                f"length: expected [fewest, most] from 1 to {MAX_LENGTH}, received [{low}, {high}]"
            )
        if self.element.when:
            raise ValueError("when belongs beside list, not into it")
        return self


def _space_tag(value: Any) -> str | None:
    if isinstance(value, ListSpace) or (isinstance(value, dict) and "list" in value):
        return "list"
    return _tag(value)


Space = Annotated[
    Annotated[FloatSpace, Tag("float")]
    | Annotated[IntSpace, Tag("int")]
    | Annotated[ChoiceSpace, Tag("choice")]
    | Annotated[ListSpace, Tag("list")],
    Discriminator(
        _space_tag,
        custom_error_type="space",
        custom_error_message=f"{_RANGES_WORDS}, {{choice: [a, b]}} or {{list: …, length: [1, 3]}}",
    ),
]
