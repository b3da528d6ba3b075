"""One call from a model to its compressed file: `slimline compress`, `pipeline.compress`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from pipeline.api import run
from pipeline.artifacts.files import write_bytes_atomic
from pipeline.errors import ConfigError, PromiseError
from pipeline.progress import Progress, SilentProgress
from pipeline.recipe.given import take_data, take_model, understand
from pipeline.recipe.steps import CALIBRATED, LEARNED, Wishes, make_recipe
from pipeline.results import RunResult

if TYPE_CHECKING:
    import keras
    import numpy as np

RECIPE_FILE = "recipe.yaml"


@dataclass(frozen=True)
class Compressed:
    """What came of it.

    Attributes:
        run: every stage's figures; `run.table()`, `run.report`, `run.deploy`.
        recipe: the configuration that was run; `slimline run RECIPE` goes on from it.
        notes: how the model was understood.
    """

    run: RunResult
    recipe: Path
    notes: tuple[str, ...] = ()

    @property
    def tflite(self) -> bytes:
        """Content of the file to deploy."""
        if self.run.deploy is None:
            raise PromiseError("no file was exported; see the stages of the run")
        return self.run.deploy.read_bytes()

    @property
    def model(self) -> keras.Model:
        """The compressed model as a plain Keras 3 model: same class, same layer names."""
        from pipeline.models.files import load_model
        from pipeline.stages.inputs import MODEL_FILE

        made = [stage.path / MODEL_FILE for stage in self.run.stages.values()]
        return load_model([path for path in made if path.is_file()][-1])

    @property
    def figures(self) -> dict[str, Any]:
        """What evaluate measured on the test split, by file."""
        return {file["name"]: file for file in self.run.metrics["evaluate"]["files"]}


def compress(
    model: str | Path | Any,
    data: str | Path | tuple[np.ndarray, np.ndarray] | Mapping[str, np.ndarray] | None = None,
    *,
    calibration: str | Path | np.ndarray | None = None,
    wishes: Wishes | None = None,
    name: str | None = None,
    custom_objects: str | None = None,
    artifacts: str | Path = "artifacts",
    progress: Progress | None = None,
    **asked: Any,
) -> Compressed:
    """Makes a model small by a recipe that suits most: pruned while fine-tuned, then int8.

    Args:
        model: a `.keras` or `.h5` file, or a live Keras 3 or tf_keras model.
        data: a `.npz` file, a folder of images, a source's name; (x, y), or a mapping with
            x_train, y_train and so on.
        calibration: samples without answers, instead of data: post-training quantization, judged
            by its distance from the float model.
        wishes: what is asked for; or its fields by name: sparsity, scheme, max_accuracy_drop,
            epochs, task.
        name: of the run; default: the model file's, or the live model's.
        custom_objects: module with the model's own layers and functions; its code is run.
        artifacts: folder of all results.
        progress: where bars and notes go; default nowhere.

    Returns:
        The compressed Keras 3 model, the `.tflite` bytes and the figures.

    Raises:
        SlimlineError: of the type that tells what failed (see pipeline/errors.py).
    """
    if (data is None) == (calibration is None):
        raise ConfigError(
            "compress: expected either data (with labels) or calibration (samples without them)"
        )
    wishes = Wishes(**asked) if wishes is None else wishes
    progress = SilentProgress() if progress is None else progress
    found, file, name = take_model(model, name, custom_objects, Path(artifacts))
    section = take_data(calibration if data is None else data, Path(artifacts) / name)
    section, notes = understand(found, section, wishes, labelled=data is not None)
    for note in (*found.notes, *notes):
        progress.note(note)
    compiled = found.compiled
    values = make_recipe(
        section,
        file,
        wishes,
        _training_samples(name, file, section, artifacts),
        None if compiled is None else compiled.learning_rate,
        can_prune(found.model),
    )
    recipe = Path(artifacts) / name / RECIPE_FILE
    # By way of JSON: what stands twice would become a YAML alias, which is not read.
    plain = json.loads(json.dumps({"run": {"name": name}, **values}))
    text = yaml.safe_dump(plain, sort_keys=False)
    write_bytes_atomic(recipe, f"# Written by slimline compress.\n{text}".encode())
    return Compressed(run(recipe, artifacts=artifacts, progress=progress), recipe, notes)


def _training_samples(
    name: str, file: dict[str, Any], section: dict[str, Any], artifacts: str | Path
) -> int:
    """Prepares the data of the run, and returns how many samples there are to train on."""
    # A chain that names them all, so that an earlier run of this name keeps its links.
    stages = CALIBRATED if section["task"] == "parity" else LEARNED
    values = {"run": {"name": name}, "data": section, "model": file, "stages": list(stages)}
    prepared = run(values, artifacts=artifacts, last="data")
    return int(prepared.metrics["data"]["samples"]["train"])


def can_prune(model: keras.Model) -> bool:
    """Tells whether the graph of the model has a layer with a kernel that is pruned."""
    from pipeline.bridge.graph import walk
    from pipeline.bridge.kernels import kernels_inside

    return any(kernels_inside(layer) for layer in walk(model).layers().values())
