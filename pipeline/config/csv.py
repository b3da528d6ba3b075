"""`data.csv`: how a file of rows becomes numbers for a model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.base import Section

Name = Annotated[str, Field(min_length=1)]
Delimiter = Literal["auto", ",", "\t", ";", "|", " "]


class CsvFormat(Section):
    """How rows are written down; shared by tables and texts."""

    delimiter: Delimiter = Field("auto", description="auto: the one that gives even columns")
    quotes: bool = Field(True, description="false where quotation marks mean themselves")
    columns: tuple[Name, ...] | None = Field(
        None, min_length=1, description="names, in order, of a file without a header"
    )

    @model_validator(mode="after")
    def _columns_once(self) -> CsvFormat:
        _refuse_twice("columns", self.columns or ())
        return self


class CsvConfig(CsvFormat):
    """Columns of a table: which are the answers, and how the others are encoded."""

    target: tuple[Name, ...] | Name | None = Field(
        None, description="column of the answer, or several (multi_label, regression); required"
    )
    target_strip: str = Field(
        "", description="characters dropped from the end of answers: '.' makes '>50K.' '>50K'"
    )
    positive: str | None = Field(
        None, description="binary: the answer that is 1; default: the last in sorted order"
    )
    ignore: tuple[Name, ...] = Field((), description="columns that the model does not see")
    types: dict[str, Literal["number", "category"]] = Field(
        {}, description="column → type; default: number where all training values are numbers"
    )
    log: tuple[Name, ...] = Field(
        (), description="skewed number columns, mapped by sign(v)·log(1 + |v|) first"
    )
    clip: float | None = Field(
        5.0,
        gt=0,
        description="numbers are held within ± this many standard deviations: one outlier would "
        "take int8's resolution from all others; null: not",
    )
    missing: tuple[str, ...] = Field(
        ("", "?", "NA", "N/A", "NaN", "nan", "null"), description="marks of a missing value"
    )
    max_categories: int = Field(
        64, ge=1, le=4096, description="most frequent values kept of a category column"
    )
    min_category_count: int = Field(
        5, ge=1, description="rarer training values of a category column count as other"
    )

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns."""
        if self.target is None:
            return ()
        return (self.target,) if isinstance(self.target, str) else self.target

    @model_validator(mode="after")
    def _fitting_columns(self) -> CsvConfig:
        _refuse_twice("target", self.targets)
        for key, names in (("ignore", self.ignore), ("log", self.log), ("types", self.types)):
            for name in names:
                if name in self.targets:
                    raise ValueError(f"{key} names '{name}', which is the target")
                if self.columns is not None and name not in self.columns:
                    raise ValueError(f"{key} names '{name}', which is not among columns")
        for name in self.targets:
            if self.columns is not None and name not in self.columns:
                raise ValueError(f"target '{name}' is not among columns")
        for name in self.log:
            if self.types.get(name) == "category":
                raise ValueError(f"log names '{name}', whose type is category")
        return self


def _refuse_twice(key: str, names: tuple[str, ...]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{key} names '{name}' more than once")
