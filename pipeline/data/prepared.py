"""Data as a stage uses it: the splits that were asked for, with exactly what the model takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.data.samples import Samples
from pipeline.errors import ArtifactError
from pipeline.tasks.task import Task

if TYPE_CHECKING:
    from pipeline.data.preprocessing import Affine

SPLITS = ("train", "validation", "test")
SPECIAL_TOKENS = 2  # 0 padding, 1 unknown; a vocabulary's words come after them


@dataclass(frozen=True)
class Split:
    """Samples and answers of one split.

    Attributes:
        x: (n, *input_shape) in the model's input dtype, exactly what the model takes. An array,
            or samples that are read when asked for: take rows, never the whole.
        y: the answers, by task:
            classification  int64 (n,), class indices in [0, classes)
            binary          int64 (n,), 0 or 1
            multi_label     float32 (n, labels), 0 or 1
            regression      float32 (n, targets), mapped by Task.target_scale and target_offset
            reconstruction  x itself
            parity          None: the float model's outputs take its place, see stages/inputs.py
    """

    x: Samples
    y: Any

    def __len__(self) -> int:
        """Returns the number of samples."""
        return len(self.x)


@dataclass(frozen=True)
class PreparedData:
    """The loaded splits, and what is the same for all of them.

    Attributes:
        splits: name ("train", "validation", "test") → Split, only those that were asked for.
        task: what a model of this data is asked to do.
        input_shape: shape of one sample, without the batch axis.
        preprocessing: the affine map from source values to model values, None for none.
        placement: "sidecar" (x is already mapped) or "model" (x is raw, the model maps it).
        input_dtype: "float32", or "int32" for token ids.
        encoding: how raw text, table rows or images become x, for the sidecar; None for arrays.
    """

    splits: dict[str, Split]
    task: Task
    input_shape: tuple[int, ...]
    preprocessing: Affine | None = None
    placement: str = "sidecar"
    input_dtype: str = "float32"
    encoding: dict[str, Any] | None = None

    @property
    def train(self) -> Split:
        """Returns the training split; ArtifactError when it was not loaded."""
        return self._split("train")

    @property
    def validation(self) -> Split:
        """Returns the validation split; ArtifactError when it was not loaded."""
        return self._split("validation")

    @property
    def test(self) -> Split:
        """Returns the test split; ArtifactError when it was not loaded."""
        return self._split("test")

    @property
    def model_preprocessing(self) -> Affine | None:
        """Returns the affine map that belongs inside the model, None when it is outside."""
        return self.preprocessing if self.placement == "model" else None

    @property
    def tokens(self) -> int | None:
        """Returns the number of token ids, None where the data are numbers or do not tell it."""
        kind = None if self.encoding is None else self.encoding["kind"]
        if self.encoding is None or kind not in ("text", "tokens"):
            return None
        if kind == "tokens":
            return int(self.encoding["tokens"])
        return len(self.encoding["vocabulary"]) + SPECIAL_TOKENS

    def _split(self, name: str) -> Split:
        if name not in self.splits:
            raise ArtifactError(
                f"the {name} split was not loaded (loaded: {', '.join(self.splits) or 'none'}); "
                f"ask load_data for it"
            )
        return self.splits[name]
