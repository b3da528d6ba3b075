"""What `slimline check` prints."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import PromiseError
from pipeline.preflight.refuse import asked_of, find_impossible
from pipeline.preflight.subject import Subject, check_source, read_subject
from pipeline.preflight.verdicts import (
    ASPECTS,
    Answer,
    Aspect,
    Preflight,
    Remark,
    TensorFacts,
    listed,
)
from pipeline.reporting.tables import ELLIPSIS, MAX_WIDTH, clean_cell, format_table
from pipeline.reporting.units import MISSING, format_count

if TYPE_CHECKING:
    from pipeline.config.schema import Config

# Short, so that names have room.
HEADERS: dict[Aspect, str] = {
    "bridged": "bridge",
    "pruned": "prune",
    "clustered": "cluster",
    "qat": "QAT",
    "exported": "export",
}
WORDS: dict[Answer, str] = {
    "yes": "yes",
    "as_itself": "itself",
    "converter": "left",
    "no": "no",
    "nothing": MISSING,
    "not_tried": "?",
}
# Of the 100 columns, what the others leave.
NAME_WIDTH, TYPE_WIDTH = 24, 18
LEGEND: dict[Answer, str] = {
    "as_itself": "itself: tf_keras has no such layer, the Keras 3 layer runs in its place",
    "converter": "left: not trained with quantization, the converter quantizes it",
    "nothing": f"{MISSING}: no kernel to prune or cluster",
    "not_tried": "?: not known",
}


def check_and_show(
    source: Path, custom_objects: str | None, overrides: Sequence[str], as_json: bool
) -> int:
    """Checks a model and prints the table, or one JSON object.

    Returns:
        The exit code: 0, or 9 if something that is asked for is impossible.
    """
    from pipeline.preflight.check import check_model
    from pipeline.preflight.trial import TIME_LIMIT
    from pipeline.runtime import import_tensorflow
    from pipeline.tflite.worker import ConversionWorker

    check_source(source, custom_objects, overrides)
    # The converter's process loads TensorFlow while this one does, and reads the model.
    with ConversionWorker(TIME_LIMIT) as worker:
        import_tensorflow()
        subject = read_subject(source, custom_objects, overrides)
        config = subject.config
        found = check_model(
            subject.model,
            subject.compiled,
            None if config is None else config.prune,
            None if config is None else config.cluster,
            subject.samples,
            worker,
            task=subject.task,
            notes=subject.notes,
        )
    impossible = find_impossible(found, config)
    if as_json:
        told = {"source": str(source), "origin": subject.origin, **found.to_json()}
        print(json.dumps({**told, "impossible": impossible}, allow_nan=False))
    else:
        print(page(found, subject, impossible))
    return PromiseError.exit_code if impossible else 0


def page(found: Preflight, subject: Subject, impossible: Sequence[str]) -> str:
    """Returns what people read: facts, table, remarks, what will be done."""
    wrapped = [line for text in _below(found, subject, impossible) for line in _wrap(text)]
    return "\n".join([*_wrap_all(_facts(found, subject)), "", _table(found), *wrapped])


def _facts(found: Preflight, subject: Subject) -> list[str]:
    answers = found.answers
    task = answers.task or "not told"
    if answers.labels is not None:
        task += f", {answers.labels.replace('_', '-')} labels"
    uncounted = f"; not known of {listed(found.uncounted)}" if found.uncounted else ""
    return [
        f"model    {found.name}, {found.class_name}: {subject.origin}",
        f"size     {found.parameters:,} parameters, {found.macs:,} MACs{uncounted}",
        f"inputs   {', '.join(map(_tensor, found.inputs)) or 'not told'}",
        f"outputs  {', '.join(map(_tensor, found.outputs)) or 'not told'}; {answers.output}: "
        f"{answers.output_source}",
        f"task     {task}: {answers.task_source}",
    ]


def _tensor(tensor: TensorFacts) -> str:
    sizes = "×".join("?" if size is None else str(size) for size in tensor.shape[1:])
    return f"{tensor.name} {sizes} {tensor.dtype}"


def _table(found: Preflight) -> str:
    rows = [
        (
            shorten(row.name, NAME_WIDTH),
            shorten(row.class_name, TYPE_WIDTH),
            format_count(row.parameters) if row.parameters else MISSING,
            "?" if row.macs is None else format_count(row.macs) if row.macs else MISSING,
            *(WORDS[row.verdicts[aspect].answer] for aspect in ASPECTS),
        )
        for row in found.rows
    ]
    headers = ("layer", "type", "params", "MACs", *(HEADERS[aspect] for aspect in ASPECTS))
    return format_table(headers, rows, "llrrLLLLL")


def _below(found: Preflight, subject: Subject, impossible: Sequence[str]) -> Iterable[str]:
    """Yields paragraphs; a line that starts with a space continues a list."""
    given = {verdict.answer for row in found.rows for verdict in row.verdicts.values()}
    yield from (words for answer, words in LEGEND.items() if answer in given)
    for title, remarks in (
        ("obstacles", found.obstacles),
        ("reasons", [remark for remark in found.remarks if not remark.blocks]),
    ):
        if remarks:
            yield from ("", f"{title}:", *(f"  {_remark(remark, found)}" for remark in remarks))
    title = "what can be done:" if subject.config is None else "what will be done:"
    yield from ("", title, *(f"  {sentence}" for sentence in _plan(found, subject.config)))
    if found.notes:
        yield from ("", "notes:", *(f"  {note}" for note in found.notes))
    if impossible:
        asked = "a .tflite" if subject.config is None else "this chain"
        yield from ("", f"impossible, so {asked} cannot be made:", *(f"  {x}" for x in impossible))


def _plan(found: Preflight, config: Config | None) -> list[str]:
    """Of a bare model all that is possible; of a configuration what is in its chain."""
    if config is None:
        return list(found.plan)
    asked = asked_of(config)
    stages: dict[str, Aspect] = {
        "prune": "pruned", "cluster": "clustered", "qat": "qat", "export": "exported",
    }  # fmt: skip
    return [line for line in found.plan if asked[stages[line.partition(":")[0]]]]


def _remark(remark: Remark, found: Preflight) -> str:
    everywhere = len(remark.layers) == len(found.rows) > 1
    layers = "all layers" if everywhere else listed(remark.layers)
    fix = f" → {remark.fix}" if remark.fix else ""
    return f"{HEADERS[remark.aspect]} {WORDS[remark.answer]}: {layers}: {remark.reason}{fix}"


def shorten(text: str, width: int) -> str:
    """Cuts the middle out of a name: names of layers differ at their ends."""
    if len(text) <= width:
        return text
    head = width // 2
    return f"{text[:head]}{ELLIPSIS}{text[len(text) - (width - head - 1) :]}"


def _wrap_all(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in _wrap(text, hanging=9)]


def _wrap(text: str, hanging: int = 4) -> list[str]:
    """Breaks a paragraph at the width of the terminal; what hangs is indented."""
    lead = text[: len(text) - len(text.lstrip())]
    clean = text if hanging == 9 else lead + clean_cell(text)
    return textwrap.wrap(clean, MAX_WIDTH, subsequent_indent=" " * hanging) or [""]
