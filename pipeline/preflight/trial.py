"""A real trial conversion: which operators TFLite lacks, and from which layers they come."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.bridge.conversion_forms import forms_for_conversion
from pipeline.bridge.graph import Graph
from pipeline.errors import PromiseError
from pipeline.preflight.traced_calls import call_number, save_traced_calls
from pipeline.preflight.verdicts import YES, Conversion, Verdict, listed
from pipeline.tflite.conversion_request import ConversionRequest
from pipeline.tflite.convert import convert
from pipeline.tflite.flatbuffer import ModelFile, Operator, Subgraph, is_builtin, read_model
from pipeline.tflite.float_operators import float_tensors
from pipeline.tflite.saved_model import signature_names

if TYPE_CHECKING:
    from pipeline.tflite.worker import ConversionWorker

# Larger models are not tried: a check takes seconds. MobileNetV2 has 3.5 M and 301 M.
MOST_PARAMETERS = 30_000_000
MOST_MACS = 3_000_000_000
TIME_LIMIT = 60.0  # seconds of one conversion
SAMPLES = 2
# Operators that belong to no call, such as a conversion of types at the edge.
BETWEEN = "between layers"
_COMMON = frozenset({"float32", "int32", "int64", "bool"})


@dataclass(frozen=True)
class Trial:
    """What the converter made of a model.

    Attributes:
        tried: False if the model was not given to the converter.
        reason: why it was not tried, or why it gave no file at all; "" otherwise.
        custom: layer name → operators that TFLite has no kernel for.
        floats: layer name → operators that int8 leaves in float; None where int8 was not tried.
        int8: why int8 was refused; "" if it was not.
    """

    tried: bool
    reason: str = ""
    custom: dict[str, tuple[str, ...]] = field(default_factory=dict)
    floats: dict[str, tuple[str, ...]] | None = None
    int8: str = ""

    def conversion(self) -> Conversion:
        """Returns what the whole model's conversion gave."""
        if not self.tried:
            return Conversion("not_tried", self.reason)
        if self.reason:
            return Conversion("fails", self.reason)
        if self.custom:
            return Conversion("fails", f"TFLite lacks operators of {listed(self.custom)}")
        if self.int8:
            return Conversion("converts", "", "refused", self.int8)
        return Conversion("converts", "", "partly_float" if self.floats else "integer")

    def verdict(self, name: str) -> Verdict:
        """Says of one layer whether it is exported as built-in operators."""
        if not self.tried:
            return Verdict("not_tried", self.reason)
        if name in self.custom:
            missing = self.custom[name]
            fix = REBUILD if all(operator.endswith(")") for operator in missing) else REPLACE
            return Verdict("no", f"TFLite has no operator {', '.join(missing)}", fix, blocks=True)
        if self.reason:
            return Verdict("not_tried", f"the converter refuses the model: {self.reason}")
        if self.floats is not None and name in self.floats:
            return Verdict("yes", f"int8 leaves {', '.join(self.floats[name])} in float32")
        return YES


REBUILD = "rebuild the layer with dtype float32"
REPLACE = "replace the layer by built-in layers that TFLite knows"


def too_large(parameters: int, macs: int, graph: Graph) -> str:
    """Returns why a model is not tried, or ""."""
    if parameters > MOST_PARAMETERS:
        return f"{parameters / 1e6:.0f} M parameters, tried up to {MOST_PARAMETERS / 1e6:.0f} M"
    if macs > MOST_MACS:
        return f"{macs / 1e9:.1f} G MACs, tried up to {MOST_MACS / 1e9:.0f} G"
    for entry in graph.inputs:
        if None in entry.shape[1:]:
            return f"input '{entry.name}' has no fixed shape {entry.shape[1:]}"
    return ""


@contextmanager
def started_trial(
    graph: Graph,
    worker: ConversionWorker,
    samples: Sequence[np.ndarray] | None = None,
) -> Iterator[Future[Trial]]:
    """Has a model converted in the background: int8, or float32 if that is refused.

    Args:
        graph: of a model that is small enough (`too_large`).
        worker: a converter, with a short time limit; not to be used by others meanwhile.
        samples: one array (n, …) per input; default random numbers.

    Yields:
        What will hold the trial.
    """
    with (
        tempfile.TemporaryDirectory(prefix="slimline-") as scratch,
        ThreadPoolExecutor(1) as executor,
    ):
        saved = Path(scratch) / "saved_model"
        reason = _save(graph, saved)
        if reason:
            yield executor.submit(Trial, True, reason)
        else:
            # Only the waiting for the child is done by the thread: TensorFlow stays in this one.
            yield executor.submit(_convert, graph, saved, worker, _samples(graph, samples))


def _save(graph: Graph, directory: Path) -> str:
    """Writes the SavedModel; returns why it cannot be written, or ""."""
    try:
        with forms_for_conversion(graph.layers().values()):
            save_traced_calls(graph, directory)
    except Exception as error:  # a layer of the user's raises whatever it raises
        first_line = str(error).strip().split("\n")[0]
        return f"it does not run as a graph of TensorFlow ({type(error).__name__}: {first_line})"
    return ""


def _convert(
    graph: Graph, saved: Path, worker: ConversionWorker, samples: dict[str, np.ndarray]
) -> Trial:
    names = [call.name for call in graph.calls]
    output = saved.parent
    try:
        request = ConversionRequest("int8", "int8", float_operators="allow")
        made = convert(saved, [request], samples, output, worker)["int8"]
        return Trial(True, floats=_float_operators(read_model(made), names))
    except PromiseError as error:
        refused = str(error)
    if _OVER_LIMIT in refused:
        return Trial(False, _cause(refused))
    try:
        request = ConversionRequest("float", "float32", custom_operators=True)
        made = convert(saved, [request], None, output, worker)["float"]
    except PromiseError as error:
        return Trial(True, reason=_cause(str(error)))
    return Trial(True, custom=_custom_operators(read_model(made), names), int8=_cause(refused))


# How ConversionWorker begins to tell that time or memory ran out: nothing is known of the model.
_OVER_LIMIT = "the conversion took"


def _cause(message: str) -> str:
    """Drops the name of the trial file, which means nothing to the user."""
    return message.partition(": ")[2] or message


def _samples(graph: Graph, given: Sequence[np.ndarray] | None) -> dict[str, np.ndarray]:
    """Returns a few samples by input name; token ids are 0, which any table has."""
    rng = np.random.default_rng(0)
    names = signature_names([entry.name for entry in graph.inputs])
    samples: dict[str, Any] = {}
    for number, (entry, name) in enumerate(zip(graph.inputs, names, strict=True)):
        shape = (SAMPLES, *(size or 1 for size in entry.shape[1:]))
        if given is not None:
            samples[name] = given[number][:SAMPLES]
        elif entry.dtype.startswith(("int", "uint")):
            samples[name] = np.zeros(shape, entry.dtype)
        else:
            samples[name] = rng.normal(size=shape).astype(np.float32)
    return samples


def _custom_operators(model: ModelFile, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    def name_of(operator: Operator, subgraph: Subgraph) -> str | None:
        if is_builtin(operator.name):
            return None
        # TFLite has a Conv2D, but none for float16.
        dtype = subgraph.tensors[operator.outputs[0]].dtype if operator.outputs else "float32"
        return operator.name if dtype in _COMMON else f"{operator.name} ({dtype})"

    return _by_layer(model, names, name_of)


def _float_operators(model: ModelFile, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    def name_of(operator: Operator, subgraph: Subgraph) -> str | None:
        return operator.name if float_tensors(subgraph, operator) else None

    return _by_layer(model, names, name_of)


def _by_layer(
    model: ModelFile,
    names: Sequence[str],
    name_of: Callable[[Operator, Subgraph], str | None],
) -> dict[str, tuple[str, ...]]:
    """Returns the operators that `name_of` names, by the layer that they come from."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            name = name_of(operator, subgraph)
            if name is not None:
                number = call_number(operator, subgraph, model)
                found[BETWEEN if number is None else names[number]][name] = None
    return {name: tuple(operators) for name, operators in found.items()}
