"""docs/applications.md, made of applications.json; needs neither TensorFlow nor Keras."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any

# Of the spread of the outputs over the samples, see the page.
FLOAT_BOUND, INT8_BOUND = 1e-3, 0.25
REASON_LENGTH = 160
STEPS = ("parity", "prune", "ptq", "qat")
HEADER = """# Every architecture of keras.applications

What happens to models that no one here wrote: all {total} architectures of keras.applications
(Keras {keras}), with their own top for ten classes, random weights and the smallest input they
accept (MobileNetV3: 64 instead of 32 pixels, where the converter leaves HARD_SWISH on maps of a
single pixel in float32 after QAT). Each step runs in a process of its own. Made by

    .venv/bin/python benchmarks/applications.py            # up to 100 M parameters
    .venv/bin/python benchmarks/applications.py --large    # those above
    .venv/bin/python benchmarks/applications.py --table    # this page, from applications.json

Killed, it goes on where it stopped.

{counts}
The samples are 16 squares out of the two photographs that scikit-learn brings. The steps, one
after the other on the same model:

1. **Parity**: the model is rebuilt in tf_keras, and each layer gives the same on the same inputs,
   within 1e-4 of its spread over the samples; the whole models agree within 1e-2, and no longer
   when two filters are swapped. BatchNormalization has statistics of the samples: behind fresh ones
   the signal dies. Shown: the largest difference of any layer.
2. **Pruned**: 12 steps of training to tell the photographs apart, half of each kernel zero; then
   back in the Keras 3 model, saved by Keras's own `save`, loaded by Keras's own loader: the same
   outputs bit for bit, no class in the file that is not Keras's own, and the zeros counted there.
   Shown: zeros in the pruned kernels, and in all weights.
3. **float, int8**: the pruned model as `.tflite`, run in LiteRT on the 16 samples and compared with
   the Keras model. Nothing in the int8 file computes in float, and it has the zeros of each kernel
   (both checked in the file). Shown: the largest difference of the float file and the mean
   difference of the int8 file, relative to the spread of the outputs over the samples. They agree
   up to {float_bound:g} (rounding of float32 in another order) and {int8_bound:g}.
4. **QAT**: two steps with quantization emulated, then int8, run, and compared with the emulation in
   the same way. *full*: every layer was trained so; else how many were left to the converter, whose
   file is integer throughout all the same.

Why {int8_bound:g}: two networks that have nothing to do with each other differ by 1.1 in the mean;
{int8_bound:g} is a correlation of 0.95. Why the training: a network with random weights amplifies
any rounding from layer to layer: the int8 file of an untrained MobileNetV2 differed by 1.05, that
of ResNet50 by 1.09, right as they were. After 12 steps what separates the photographs is larger
than the rounding; offsets of BatchNormalization begin at 1, so that units live, and networks
without it learn at a tenth of the rate. These networks know nothing else; the accuracy of trained
ones is measured in other pages. The bound was 0.1 first and was raised when QAT of EfficientNetB0
gave 0.104: each figure stands in the table.

Rows were measured while the bridge was still being worked on; `finished` in the JSON says when.
{statistics}
CPU seconds are of all processes together, from the start of Python to the end, on {cpu}; memory
is the peak of the largest process, with a † where all steps ran in one, before checkpoints were
written array by array and before a model was let go when its quantized copy stood. TensorFlow
{tensorflow}, tf_keras {tf_keras}, tensorflow-model-optimization {tfmot}, ai-edge-litert {litert},
Python {python}.

| architecture | pixels | parameters | parity | pruned | float | int8 | QAT | CPU s | GB |
|---|---|---|---|---|---|---|---|---|---|
"""


def make_page(result: dict[str, Any]) -> str:
    """Returns the page in Markdown.

    Args:
        result: the content of applications.json.
    """
    rows = sorted(result["rows"].values(), key=lambda row: row.get("parameters", 0))
    versions, host = result["versions"], result["host"]
    page = HEADER.format(
        statistics=_statistics(rows), total=result["total"],
        counts=_counts(rows, result["total"]), keras=versions["keras"],
        float_bound=FLOAT_BOUND, int8_bound=INT8_BOUND, cpu=host["cpu"], python=host["python"],
        tensorflow=versions["tensorflow"], tf_keras=versions["tf_keras"],
        tfmot=versions["tensorflow-model-optimization"], litert=versions["ai-edge-litert"],
    )  # fmt: skip
    page += "".join(f"| {' | '.join(_cells(row))} |\n" for row in rows)
    return page + _gaps(rows, result["not_run"]) + _left(rows) + _dense(rows)


def judge(row: dict[str, Any], step: str) -> str | None:
    """Says why a step of a row is a gap; None if it did what it must.

    Args:
        row: of one architecture.
        step: one of STEPS.
    """
    found = row.get(step)
    if found is None:
        return f"not reached: {row.get('ended', 'unknown')}"
    if not found["done"]:
        return str(found["reason"])
    if step == "ptq" and found["float32"]["max_difference"] > FLOAT_BOUND:
        return f"float differs by {found['float32']['max_difference']:.2g}"
    if step in ("ptq", "qat") and found["int8"]["mean_difference"] > INT8_BOUND:
        return f"int8 differs by {found['int8']['mean_difference']:.2g}"
    return None


def _counts(rows: list[dict[str, Any]], total: int) -> str:
    def count(step: str, fits: Callable[[dict[str, Any]], bool] = lambda row: True) -> int:
        return sum(judge(row, step) is None and fits(row) for row in rows)

    full = count("qat", lambda row: row["qat"]["left"] == 0)
    return (
        f"**Of {total}: {len(rows)} run; parity {count('parity')}, pruned {count('prune')}, "
        f"int8 {count('ptq')}, QAT {count('qat')} ({full} full, {count('qat') - full} with layers "
        "left to the converter).**\n"
    )


def _statistics(rows: list[dict[str, Any]]) -> str:
    """Says where BatchNormalization got new statistics before QAT, and what that was worth."""
    found = [
        (row["name"], row["qat"]["statistics"])
        for row in rows
        if (row.get("qat") or {}).get("statistics") is not None
    ]
    told = [
        f"{name} {_loss(entry['loss_of_float'])} → {_loss(entry['loss_of_estimated'])}"
        for name, entry in found
        if entry["estimated"]
    ]
    if not found:
        return ""
    return _wrapped(
        "Before QAT the statistics of BatchNormalization are estimated anew with 8 bits emulated, "
        "and kept if the validation loss is then lower ([bridge.md](bridge.md)); of the rows made "
        f"since then so in {len(told)} of {len(found)}: {', '.join(told) or 'none'}."
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False) + "\n"


def _loss(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.3g}"


def _cells(row: dict[str, Any]) -> list[str]:
    memory = max(row.get("memory_bytes", 0), row.get("converter_memory_bytes", 0)) / 1e9
    figures: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("parity", lambda found: f"{found['max_relative_difference']:.0e}"),
        ("prune", lambda found: f"{found['sparsity']:.1%}, {found['overall_sparsity']:.1%}"),
        ("ptq", lambda found: f"{found['float32']['max_difference']:.0e}"),
        ("ptq", lambda found: f"{found['int8']['mean_difference']:.3f}"),
        ("qat", _qat_words),
    ]
    cells = [row["name"], str(row.get("side", "?")), f"{row.get('parameters', 0) / 1e6:.1f} M"]
    for step, words in figures:
        found = row.get(step) or {"done": False}
        shown = words(found) if found["done"] else ""
        cells.append(shown if judge(row, step) is None else f"{shown} ✗".strip())
    seconds = f"{row['cpu_seconds']:.0f}" if "cpu_seconds" in row else ""
    mark = "" if "processes" in row else " †"
    return [*cells, seconds, f"{memory:.1f}{mark}"]


def _qat_words(qat: dict[str, Any]) -> str:
    trained = "full" if not qat["left"] else f"{qat['left']} of {qat['trained'] + qat['left']} left"
    return f"{trained}; {qat['int8']['mean_difference']:.3f}"


def _gaps(rows: list[dict[str, Any]], not_run: list[str]) -> str:
    lines = [
        f"- {row['name']}, {step}: {reason[:REASON_LENGTH]}\n"
        for row in rows
        for step in STEPS
        if (reason := judge(row, step)) is not None
    ]
    lines += [f"- {name}: not run\n" for name in not_run]
    return "\n## Gaps\n\n" + ("".join(lines) or "None.\n")


def _left(rows: list[dict[str, Any]]) -> str:
    """Why layers were left to the converter, over all architectures."""
    reasons: dict[str, dict[str, int]] = {}
    for row in rows:
        for entry in (row.get("qat") or {}).get("reasons", []):
            # One reason for all layers of a class, whatever their names.
            reason = re.sub(r"'[^']*' \((\w+)\)", r"\1", entry["reason"])
            layers = reasons.setdefault(reason, {})
            layers[row["name"]] = layers.get(row["name"], 0) + entry["layers"]
    head = "\n## What QAT leaves to the converter\n\n| reason | layers |\n|---|---|\n"
    return head + "".join(
        f"| {reason} | {', '.join(f'{name} {count}' for name, count in layers.items())} |\n"
        for reason, layers in sorted(reasons.items())
    )


def _dense(rows: list[dict[str, Any]]) -> str:
    """Why layers with weights were not pruned."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for words in (row.get("prune") or {}).get("left_dense", []):
            reasons.setdefault(words, []).append(row["name"])
    head = "\n## What is not pruned\n\n| class and reason | in |\n|---|---|\n"
    return head + "".join(
        f"| {words} | {len(names)} architectures |\n" for words, names in sorted(reasons.items())
    )
