"""`data`: where samples come from, what is asked of them, how they are split and scaled."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from pipeline.config.base import Section
from pipeline.config.csv import CsvConfig
from pipeline.config.images import ImagesConfig
from pipeline.config.keras_data import IMAGE_SIDES, KerasDataConfig
from pipeline.config.sources import SampleKind, check_answers, source_row
from pipeline.config.text import TextConfig
from pipeline.tasks.task import TASKS, TaskName

# What has its own encoding, learned from the training split, is not scaled once more.
ENCODED = ("tokens", "table", "text")
# Section → its default and the sources that it belongs to.
OWN_SECTIONS: dict[str, tuple[Section, str]] = {
    "csv": (CsvConfig(), "csv"),
    "text": (TextConfig(), "text"),
    "images": (ImagesConfig(), "images"),
    "keras": (KerasDataConfig(), "keras:"),
}


class Preprocessing(Section):
    """An affine map x·scale + offset, kept as part of what ships."""

    kind: Literal["none", "rescale", "standardize", "tokens"] | None = Field(
        None,
        description="rescale: x·scale + offset; standardize: zero mean and unit variance of the "
        "training split, per last axis; tokens: x are token ids, kept as int32; default: rescale "
        "for arrays and images, none for csv, text and tokens, which have their own encoding",
    )
    scale: float | None = Field(
        None,
        gt=0,
        description="of rescale; default: 1 / max|x| of the training split, 1/255 for images",
    )
    offset: float = Field(0.0, description="of rescale")
    placement: Literal["sidecar", "model"] = Field(
        "sidecar",
        description="sidecar: the caller applies it, as the sidecar says; model: a first layer",
    )

    @model_validator(mode="after")
    def _own_keys_only(self) -> Preprocessing:
        if self.kind not in (None, "rescale") and (self.scale is not None or self.offset != 0):
            raise ValueError(f"scale and offset belong to kind rescale, not to {self.kind}")
        return self


class DataConfig(Section):
    """Samples, the task, splits and preprocessing."""

    source: str = Field(
        "digits",
        description="digits (needs no file), npz, csv, text, images, keras:NAME (mnist, "
        "fashion_mnist, cifar10, cifar100, boston_housing, california_housing, imdb, reuters), "
        "tfds:NAME, python:MODULE:FUNCTION",
    )
    path: Path | None = Field(
        None,
        description="file or folder of npz, csv, text, images (required; csv and text also take a "
        "pattern, part-*.csv); local file of keras:* (then no network is needed); folder of tfds:*",
    )
    validation_path: Path | None = Field(
        None, description="of csv and text: validation samples; default: cut from path"
    )
    test_path: Path | None = Field(
        None, description="of csv and text: test samples; default: cut from path"
    )
    task: TaskName = Field(
        "classification",
        description="what the model is asked for: one of several classes; binary: one of two, "
        "from one logit; multi_label: any of several; regression: numbers; reconstruction: the "
        "sample itself; parity: nothing, the files are compared with the float model alone",
    )
    validation_fraction: float = Field(
        0.15, gt=0, lt=1, description="cut from the training arrays where no split is given"
    )
    test_fraction: float = Field(
        0.2, gt=0, lt=1, description="cut from the training arrays where no split is given"
    )
    max_train_samples: int | None = Field(
        None, ge=1, description="a stratified part of the training split, for quick tries"
    )
    preprocessing: Preprocessing = Preprocessing()
    standardize_targets: bool = Field(
        True,
        description="of regression: to zero mean and unit variance of the training split; default "
        "false with model.path, whose model answers in a unit of its own",
    )
    csv: CsvConfig = Field(CsvConfig(), description="of source csv")
    text: TextConfig = Field(TextConfig(), description="of source text")
    images: ImagesConfig = Field(ImagesConfig(), description="of source images")
    keras: KerasDataConfig = Field(KerasDataConfig(), description="of sources keras:*")

    @property
    def sample_kind(self) -> SampleKind:
        """What the samples are."""
        return "tokens" if self.preprocessing.kind == "tokens" else source_row(self.source).kind

    @property
    def preprocessing_kind(self) -> str:
        """The kind of preprocessing, the default resolved: none, rescale or standardize."""
        if self.sample_kind in ENCODED:
            return "none"
        return self.preprocessing.kind or "rescale"

    @field_validator("source")
    @classmethod
    def _known_source(cls, source: str) -> str:
        source_row(source)
        return source

    @model_validator(mode="after")
    def _source_fits(self) -> DataConfig:
        row = source_row(self.source)
        if row.path == "required" and self.path is None:
            raise ValueError(f"source {self.source} needs a path: data.path=…")
        if row.path == "refused" and self.path is not None:
            raise ValueError(f"source {self.source} takes no path; did you mean source: npz?")
        if (self.validation_path or self.test_path) and row.kind not in ("table", "text"):
            raise ValueError(
                f"validation_path and test_path belong to csv and text, not to {self.source}"
            )
        check_answers(self.source, self.task)
        for name, (default, source) in OWN_SECTIONS.items():
            if not self.source.startswith(source) and getattr(self, name) != default:
                raise ValueError(f"{name} belongs to source {source}, not to {self.source}")
        return self

    @model_validator(mode="after")
    def _images_fit_their_size(self) -> DataConfig:
        size, side = self.keras.size, IMAGE_SIDES.get(self.source)
        if size is None:
            return self
        if side is None:
            raise ValueError(f"keras.size belongs to {', '.join(IMAGE_SIDES)}, not {self.source}")
        if min(size) < side:
            raise ValueError(
                f"keras.size {list(size)} is smaller than the images of {self.source}; expected "
                f"at least [{side}, {side}]"
            )
        return self

    @model_validator(mode="after")
    def _columns_fit(self) -> DataConfig:
        if self.source != "csv":
            return self
        targets = len(self.csv.targets)
        if targets == 0 and TASKS[self.task].has_answers:
            raise ValueError("source csv needs data.csv.target: the column of the answers")
        if targets > 1 and TASKS[self.task].has_labels:
            raise ValueError(
                f"csv.target names {targets} columns, task {self.task} takes one; for several "
                f"answers set task: multi_label or regression"
            )
        if self.csv.positive is not None and self.task != "binary":
            raise ValueError(f"csv.positive belongs to task binary, not to {self.task}")
        return self

    @model_validator(mode="after")
    def _preprocessing_fits(self) -> DataConfig:
        given, row = self.preprocessing, source_row(self.source)
        if given.kind == "tokens" and row.kind not in ("array", "tokens"):
            raise ValueError(f"preprocessing kind tokens is for arrays, not for {row.kind}")
        if given.kind == "tokens" and self.task == "reconstruction":
            raise ValueError("task reconstruction expects numbers as samples, not tokens")
        encoded = self.sample_kind in ENCODED
        if encoded and given.kind not in (None, "none", "tokens"):
            raise ValueError(
                f"preprocessing kind {given.kind} is for arrays and images; {self.source} has its "
                f"own encoding; leave it out"
            )
        if encoded and (given.placement == "model" or given.scale is not None or given.offset):
            raise ValueError(
                f"preprocessing is for arrays and images; {self.source} has its own encoding, "
                f"which is told in the sidecar; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _fractions_leave_training(self) -> DataConfig:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction + test_fraction must be below 1")
        return self
