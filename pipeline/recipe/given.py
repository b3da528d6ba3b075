"""What the user gave: a file or a live model, a path or arrays; and what the model was made for."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts.files import write_bytes_atomic
from pipeline.models.told_task import infer_task
from pipeline.recipe.source import answers_of, data_section, has_own_validation

if TYPE_CHECKING:
    from pipeline.foreign.load import ForeignModel
    from pipeline.recipe.steps import Wishes

GIVEN_MODEL, GIVEN_DATA = "given.keras", "given.npz"


def take_model(
    model: Any, name: str | None, custom_objects: str | None, artifacts: Path
) -> tuple[ForeignModel, dict[str, Any], str]:
    """Returns the model, its section of the configuration, and the run's name."""
    from pipeline.foreign.load import from_live, load_foreign
    from pipeline.models.files import save_model
    from pipeline.models.functional import as_functional
    from pipeline.runtime import import_tensorflow

    import_tensorflow()
    if isinstance(model, str | Path):
        path = Path(model)
        found = load_foreign(path, custom_objects)
        name = run_name(path.stem) if name is None else name
    else:
        found = from_live(model)
        name = run_name(found.model.name) if name is None else name
        path = artifacts / name / GIVEN_MODEL
        save_model(found.model, path)
    found = replace(found, model=as_functional(found.model))
    section = {"path": str(path.absolute())}
    if custom_objects is not None:
        section["custom_objects"] = custom_objects
    return found, section, name


def run_name(text: str) -> str:
    """Returns a name that a run may have, of a file's or a model's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).lstrip("._-")[:100] or "compressed"


def take_data(given: Any, folder: Path) -> dict[str, Any]:
    """Returns the data section; arrays are written beside the run first."""
    import numpy as np

    if isinstance(given, str | Path):
        return data_section(str(given))
    if isinstance(given, Mapping):
        arrays = dict(given)
    else:
        x, y = given if isinstance(given, tuple) else (given, None)
        arrays = {"x": x} if y is None else {"x": x, "y": y}
    stream = io.BytesIO()
    np.savez(stream, **{key: np.asarray(array) for key, array in arrays.items()})  # type: ignore[arg-type]
    write_bytes_atomic(folder / GIVEN_DATA, stream.getvalue())
    return {"source": "npz", "path": str((folder / GIVEN_DATA).absolute())}


def understand(
    found: ForeignModel, section: dict[str, Any], wishes: Wishes, labelled: bool
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Completes the data section: the task, and ids that are not numbers."""
    from pipeline.models.fit_to_data import last_activation, looks_up_tokens

    model, kind = found.model, "none"
    notes = [f"model: {found.origin}, {model.count_params():,} parameters"]
    if looks_up_tokens(model):
        kind = "tokens"
        notes.append("its input is looked up in an embedding: samples are token ids")
    if not labelled:
        task = "parity"
        notes.append("no answers: files are judged by their distance from the float model")
    elif wishes.task is not None:
        task = wishes.task
    else:
        compiled = found.compiled
        task, reason = infer_task(
            None if compiled is None else compiled.loss,
            last_activation(model),
            tuple(model.inputs[0].shape[1:]),
            tuple(model.outputs[0].shape[1:]),
            answers_of(section),
        )
        notes.append(f"task {task}: {reason} (--task says otherwise)")
    if labelled and not has_own_validation(section):
        notes.append(
            "validation samples are cut from the others: if the model was trained on them it looks "
            "better there than it is, and losses larger; give x_val, y_val"
        )
    return {**section, "task": task, "preprocessing": {"kind": kind}}, tuple(notes)
