"""`batch_size`: a number of samples, or `full` for batch gradient descent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field


def _check(value: Any) -> Any:
    number = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if number or value == "full":
        return value
    raise ValueError(f"received {value!r}, expected an integer of at least 1, or full")


BatchSize = Annotated[
    Annotated[int, Field(ge=1)] | Literal["full"],
    # Before the union has its say: pydantic would list the faults of each of its members.
    BeforeValidator(_check),
]


def resolve_batch_size(batch_size: int | Literal["full"], samples: int) -> int:
    """Returns the number of samples in a batch.

    Args:
        batch_size: of the configuration.
        samples: in the training split, 1 or more.
    """
    return samples if batch_size == "full" else batch_size
