"""`model.path`: what a configuration means, and may ask for, when the model is the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.config.schema import Config

MAKES_MODEL = frozenset({"train", "tune"})
# Stages that change weights, and so need answers to learn from.
LEARNING = frozenset({"train", "tune", "distill", "narrow", "prune", "cluster"})


def complete_model_file(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fills in what `model: {path: …}` goes without saying, before anything is checked.

    `architecture` is file; samples are what the model takes, so that data.preprocessing does
    nothing unless it is given; and targets are what it answers.

    Args:
        values: the whole configuration as plain data; returned as it is without model.path.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("model"), Mapping):
        return values
    model = values["model"]
    if "path" not in model or model.get("architecture", "file") != "file":
        return values
    completed = {**values, "model": {"architecture": "file", **model}}
    data = values.get("data", {})
    if isinstance(data, Mapping) and isinstance(data.get("preprocessing", {}), Mapping):
        given = data.get("preprocessing", {})
        kind = "none" if given.get("kind") is None else given["kind"]
        preprocessing = {**given, "kind": kind}
        completed["data"] = {"standardize_targets": False, **data, "preprocessing": preprocessing}
    return completed


def begins_with_file(config: Config) -> bool:
    """Tells whether the chain begins with a model that is loaded, not trained.

    Args:
        config: `model.path`; or `model.weights` from a file, and no stage that trains.
    """
    if config.model.architecture == "file":
        return True
    weights = getattr(config.model, "weights", "none")
    return weights != "none" and not MAKES_MODEL & set(config.stages)


def model_files(config: Config) -> dict[str, Path]:
    """Returns the files that the model is read from, by the field that names them."""
    if config.model.architecture == "file":
        return {"model.path": config.model.path}
    weights = getattr(config.model, "weights", "none")
    return {"model.weights": weights} if isinstance(weights, Path) else {}


def check_model_file(config: Config) -> None:
    """Refuses what a model from a file, or samples without answers, cannot be put to.

    Args:
        config: the whole configuration.

    Raises:
        ValueError: the first fault, its field first.
    """
    if config.model.architecture == "file":
        searched = [path for path in config.tune.search_space if path.startswith("model.")]
        if "tune" in config.stages and searched:
            raise ValueError(
                f"tune.search_space: '{searched[0]}' changes the architecture, and model.path "
                "is a model that is there; search train.*, prune.* or quantize.qat.*"
            )
        if config.data.preprocessing.placement == "model":
            raise ValueError(
                "data.preprocessing.placement: model puts a layer in front, and model.path is a "
                "model that is there; use placement: sidecar"
            )
    _check_meaning(config)
    if config.data.task != "parity":
        return
    learning = [stage for stage in config.stages if stage in LEARNING]
    if "quantize" in config.stages and config.quantize.method != "ptq":
        learning.append(f"quantize.method {config.quantize.method}")
    if learning:
        raise ValueError(
            f"data.task parity: {', '.join(learning)} would have to learn from samples without "
            "answers; give labels, or leave it out"
        )


def _check_meaning(config: Config) -> None:
    """Refuses what would be accepted and then not looked at."""
    task, model = config.data.task, config.model
    if model.architecture == "file":
        if model.outputs != "auto" and task in ("regression", "reconstruction"):
            raise ValueError(
                f"model.outputs: {model.outputs} is told of classes and labels, the answers of "
                f"data.task {task} are numbers; leave it out"
            )
    elif not config.data.standardize_targets and task != "regression":
        raise ValueError(
            f"data.standardize_targets: data.task {task} has no targets; leave it out, or set "
            "data.task: regression"
        )
