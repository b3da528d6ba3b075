"""Types and limits in words, from pydantic's own annotations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from pipeline.config.duration import Duration
from pipeline.config.tune import Space
from pipeline.config.type_words import describe_values


class Left(BaseModel):
    kind: Literal["left"]


class Right(BaseModel):
    kind: Literal["right", "starboard"]


@pytest.mark.parametrize(
    ("annotation", "words", "limits"),
    [
        (int, "integer", ""),
        (bool, "true | false", ""),
        (float | None, "number | null", ""),
        (Literal["a", "b", None], "a | b | null", ""),
        (Duration, "duration", ""),
        (int | Literal["full"], "integer | full", ""),
        (Annotated[int, Field(ge=1, le=65536)], "integer", "1 to 65,536"),
        (Annotated[float, Field(gt=0, lt=1)], "number", "> 0, < 1"),
        (Annotated[float, Field(ge=0)] | None, "number | null", "≥ 0"),
        (tuple[Annotated[int, Field(ge=1)], ...], "list of integer", "≥ 1"),
        (tuple[float, float], "[number, number]", ""),
        (Annotated[tuple[str, ...], Field(min_length=2)], "list of text", "at least 2 of them"),
        (dict[str, float], "mapping of text to number", ""),
        (Literal["balanced"] | dict[str, float] | None,
         "balanced | mapping of text to number | null", ""),
        (Annotated[str, Field(pattern="^a+$")], "text", "like ^a+$"),
        (Annotated[str, Field(min_length=1)], "text", "not empty"),
        (Annotated[str, Field(max_length=9)], "text", "at most 9 characters"),
        (Literal["auto", ",", "\t", "a b"], 'auto | "," | "\\t" | a b', ""),
        (Annotated[int, Field(multiple_of=8)], "integer", "a multiple of 8"),
        (Any, "any value", ""),
    ],
)  # fmt: skip
def test_words_and_limits(annotation: Any, words: str, limits: str) -> None:
    values = describe_values(annotation)
    assert (values.words, values.limits) == (words, limits)


def test_a_union_by_discriminator_names_its_kinds_also_those_with_two_names() -> None:
    union = Annotated[Left | Right, Field(discriminator="kind")]
    values = describe_values(union)
    assert values.words == "section, kind: left, right, starboard"
    assert values.sections == {"left": Left, "right": Right, "starboard": Right}
    assert values.discriminator == "kind"
    optional = describe_values(union | None)
    assert optional.words == "section, kind: left, right, starboard | null"
    assert (optional.sections, optional.discriminator) == (values.sections, "kind")


def test_sections_within_lists_and_mappings_are_found() -> None:
    assert describe_values(dict[str, Left]).sections == {"": Left}
    assert describe_values(dict[str, Left]).container == "*"
    assert describe_values(tuple[Left, ...]).container == "[]"
    spaces = describe_values(dict[str, Space])
    assert {"float", "int", "choice"} <= set(spaces.sections)
