"""What the pre-flight check says: a row per layer, the obstacles, and what will be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

# yes; as_itself: the bridge runs the Keras 3 layer where tf_keras has none like it; converter: left
# to the converter, which quantizes after training; no: cannot be done; nothing: there is nothing
# to do it to (no kernel); not_tried: not known.
Answer = Literal["yes", "as_itself", "converter", "no", "nothing", "not_tried"]
Aspect = Literal["bridged", "pruned", "clustered", "qat", "exported"]
LISTED = 3
ASPECTS: tuple[Aspect, ...] = ("bridged", "pruned", "clustered", "qat", "exported")


@dataclass(frozen=True)
class Verdict:
    """Whether something will be done to a layer.

    Attributes:
        answer: see above.
        reason: why it is not a plain yes; "" where there is nothing to say.
        fix: what would change that; "" where nothing needs to.
        blocks: a whole stage fails because of it, not only this layer's part in it.
    """

    answer: Answer
    reason: str = ""
    fix: str = ""
    blocks: bool = False


YES = Verdict("yes")
NOTHING = Verdict("nothing")


@dataclass(frozen=True)
class LayerRow:
    """One layer or operation of the model.

    Attributes:
        name: as in the model; inside a nested model "outer/inner".
        class_name: of Keras 3, or the user's.
        parameters: elements of its weights.
        macs: multiply-accumulates for one sample over all its calls; None: not known.
        calls: how often the graph calls it.
        verdicts: one per aspect.
    """

    name: str
    class_name: str
    parameters: int
    macs: int | None
    calls: int
    verdicts: Mapping[Aspect, Verdict]

    def to_json(self) -> dict[str, Any]:
        """Returns the fields under their names, each verdict as its answer alone."""
        return {
            "name": self.name,
            "class": self.class_name,
            "parameters": self.parameters,
            "macs": self.macs,
            "calls": self.calls,
            **{aspect: self.verdicts[aspect].answer for aspect in ASPECTS},
        }


@dataclass(frozen=True)
class Remark:
    """One reason, with all the layers that share it."""

    aspect: Aspect
    answer: Answer
    reason: str
    fix: str
    blocks: bool
    layers: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns the fields under their names."""
        return {**asdict(self), "layers": list(self.layers)}


@dataclass(frozen=True)
class TensorFacts:
    """An input or output: name, shape (None: any size), dtype."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def to_json(self) -> dict[str, Any]:
        """Returns the fields under their names."""
        return {"name": self.name, "shape": list(self.shape), "dtype": self.dtype}


@dataclass(frozen=True)
class Answers:
    """What the model answers, as far as it tells.

    Attributes:
        task: a key of `tasks.task.TASKS`; None where nothing tells.
        task_source: what told so, in words.
        loss: of the compile config; None if the model was not compiled.
        labels: "sparse" (class numbers) or "one_hot"; None where the loss leaves it open.
        output: "probabilities", "logits", "numbers" (of a regression, or of linear outputs where
            the task is not known) or "unknown".
        output_source: what told so, in words.
    """

    task: str | None
    task_source: str
    loss: str | None
    labels: str | None
    output: str
    output_source: str


@dataclass(frozen=True)
class Conversion:
    """What the trial conversion gave.

    Attributes:
        state: converts: a float `.tflite` can be made; fails; not_tried.
        reason: why it failed or was not tried; "" otherwise.
        int8: integer (throughout), partly_float, refused or not_tried.
        int8_reason: why int8 was refused; "" otherwise.
    """

    state: Literal["converts", "fails", "not_tried"]
    reason: str = ""
    int8: Literal["integer", "partly_float", "refused", "not_tried"] = "not_tried"
    int8_reason: str = ""


@dataclass(frozen=True)
class Preflight:
    """All that is known of a model before any work.

    Attributes:
        name: the model's.
        class_name: Functional, Sequential or the user's class.
        rows: one per layer, in the order in which they are called.
        inputs: in the model's order.
        outputs: likewise.
        answers: task, loss, kind of output.
        conversion: the trial.
        plan: what will be done, a sentence each.
        notes: what the reading of the file or the trial conversion said.
    """

    name: str
    class_name: str
    rows: tuple[LayerRow, ...]
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    answers: Answers
    conversion: Conversion
    plan: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def parameters(self) -> int:
        """Elements of all weights; a shared layer counts once."""
        return sum(row.parameters for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one sample, of the layers where they are known."""
        return sum(row.macs or 0 for row in self.rows)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Layers whose multiply-accumulates are not known."""
        return tuple(row.name for row in self.rows if row.macs is None)

    @property
    def obstacles(self) -> tuple[Remark, ...]:
        """What stands in the way of a whole stage, each reason once."""
        return tuple(remark for remark in self.remarks if remark.blocks)

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """Every reason for not saying a plain yes, each one once, with its layers."""
        return collect_remarks(self.rows)

    def count(self, aspect: Aspect, *answers: Answer) -> int:
        """Returns how many layers have one of the answers."""
        return sum(row.verdicts[aspect].answer in answers for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Returns everything as JSON values: what `--json`, manifest and report.json hold."""
        return {
            "name": self.name,
            "class": self.class_name,
            "parameters": self.parameters,
            "macs": self.macs,
            "macs_uncounted": list(self.uncounted),
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
            "answers": asdict(self.answers),
            "conversion": asdict(self.conversion),
            "layers": [row.to_json() for row in self.rows],
            "remarks": [remark.to_json() for remark in self.remarks],
            "plan": list(self.plan),
            "notes": list(self.notes),
        }


def collect_remarks(rows: Iterable[LayerRow]) -> tuple[Remark, ...]:
    """Groups the layers by what is said about them, in the order of aspects, then of layers."""
    groups: dict[tuple[Aspect, Answer, str, str, bool], list[str]] = {}
    rows = list(rows)
    for aspect in ASPECTS:
        for row in rows:
            verdict = row.verdicts[aspect]
            if verdict.reason:
                key = (aspect, verdict.answer, verdict.reason, verdict.fix, verdict.blocks)
                groups.setdefault(key, []).append(row.name)
    return tuple(Remark(*key, tuple(names)) for key, names in groups.items())


def listed(names: Iterable[str]) -> str:
    """Names the first few: "a, b, c and 14 more"."""
    names = list(names)
    words = ", ".join(names[:LISTED])
    return words if len(names) <= LISTED else f"{words} and {len(names) - LISTED} more"
