"""A point or a span of training: steps, epochs, or a part of the whole.

Written as `300` or "300 steps", "2 epochs", or "25%".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

Unit = Literal["steps", "epochs", "fraction"]
_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*(steps?|epochs?|%)")


@dataclass(frozen=True)
class Duration:
    """A number of steps, epochs, or a fraction (0 to 1) of all steps."""

    amount: float
    unit: Unit

    def steps(self, total_steps: int, steps_per_epoch: int) -> int:
        """Returns the duration in optimizer steps, rounded to the nearest.

        Args:
            total_steps: steps of the whole training, what a fraction is a fraction of.
            steps_per_epoch: steps in one epoch.
        """
        factor = {"steps": 1, "epochs": steps_per_epoch, "fraction": total_steps}[self.unit]
        return round(self.amount * factor)

    @classmethod
    def parse(cls, value: Any) -> Duration:
        """Reads an integer (steps) or one of the texts above; ValueError otherwise."""
        if isinstance(value, cls):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return cls(float(value), "steps")
        match = _PATTERN.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError('expected steps (300), "2 epochs" or "25%"')
        amount, unit = float(match[1]), match[2]
        if unit == "%":
            if amount > 100:
                raise ValueError("expected at most 100%")
            return cls(amount / 100, "fraction")
        return cls(amount, "steps" if unit.startswith("step") else "epochs")

    def text(self) -> str | int:
        """Returns what `parse` reads back to an equal duration."""
        if self.unit == "fraction":
            return f"{self.amount * 100:.10g}%"
        if self.unit == "steps" and float(self.amount).is_integer():
            return int(self.amount)
        return f"{self.amount:.10g} {self.unit}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(cls.text),
        )
