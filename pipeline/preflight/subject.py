"""What `slimline check` is pointed at: a model file, or a configuration."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config.model import MODEL_FILES, FileModel
from pipeline.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    import keras
    import numpy as np

    from pipeline.config.schema import Config
    from pipeline.foreign.compile_facts import CompileFacts

CONFIG_FILES = (".yaml", ".yml")
SAMPLES = 2


@dataclass(frozen=True)
class Subject:
    """A model to check.

    Attributes:
        model: Keras 3, built.
        origin: where it is from, for people.
        compiled: what its compile config tells, if it has one.
        config: of the run that is to be made of it; None for a bare model file.
        task: what the data of the configuration ask for.
        samples: one array (n, …) per input; None where there are no data.
        notes: what was said when it was read.
    """

    model: keras.Model
    origin: str
    compiled: CompileFacts | None = None
    config: Config | None = None
    task: str | None = None
    samples: Sequence[np.ndarray] | None = None
    notes: tuple[str, ...] = ()


def check_source(path: Path, custom_objects: str | None, overrides: Sequence[str]) -> None:
    """Refuses at once what is neither a model nor a configuration, and options of the other.

    Args:
        path: as given.
        custom_objects: module with the model's own layers and functions.
        overrides: of the configuration.

    Raises:
        ConfigError: naming what fits.
        ArtifactError: there is no such model.
    """
    if path.suffix in CONFIG_FILES:
        if custom_objects is not None:
            raise ConfigError(
                f"--custom-objects belongs to a model file, received {path}; set "
                "model.custom_objects"
            )
        return
    if path.suffix not in MODEL_FILES:
        endings = ", ".join((*MODEL_FILES, *CONFIG_FILES))
        raise ConfigError(f"received '{path}', expected a file that ends in {endings}")
    if overrides:
        raise ConfigError(f"--set belongs to a configuration, received the model {path}")
    if not path.is_file():
        raise ArtifactError(f"{path}: there is no such file; give the path of a model")


def read_subject(
    path: Path, custom_objects: str | None = None, overrides: Sequence[str] = ()
) -> Subject:
    """Reads a model file, or builds the model that a configuration describes.

    Args:
        path: that check_source accepted.
        custom_objects: module with the model's own layers and functions; its code runs.
        overrides: of the configuration, "path.to.key=value" each.

    Raises:
        SlimlineError: what reading model, configuration or data raises.
    """
    if path.suffix in CONFIG_FILES:
        return _of_config(path, overrides)
    return _of_file(path, custom_objects)


def _of_file(path: Path, custom_objects: str | None) -> Subject:
    from pipeline.foreign.load import load_foreign

    found = load_foreign(path, custom_objects)
    return Subject(found.model, found.origin, found.compiled, notes=found.notes)


def _of_config(path: Path, overrides: Sequence[str]) -> Subject:
    from pipeline.config.load import load_config
    from pipeline.models.build import build_for

    config = load_config(path, overrides)
    data = _load_samples(config)
    samples = [data.train.x[:SAMPLES]]
    if isinstance(config.model, FileModel):
        from pipeline.models.fit_to_data import check_fits, fix_input
        from pipeline.models.functional import as_functional

        found = _of_file(config.model.path, config.model.custom_objects)
        model = as_functional(found.model, data.input_shape)
        check_fits(model, data.input_shape, data.input_dtype, data.task)
        model = fix_input(model, data.input_shape, data.input_dtype)
        return replace(found, model=model, config=config, task=data.task.name, samples=samples)
    model = build_for(config.model, data)
    return Subject(
        model, "built as configured", config=config, task=data.task.name, samples=samples
    )


def _load_samples(config: Config) -> Any:
    from pipeline.data.prepare import load_data, prepare_data, save_preparation

    with tempfile.TemporaryDirectory(prefix="slimline-") as folder:
        save_preparation(prepare_data(config.data, config.run.seed), Path(folder))
        return load_data(config.data, Path(folder), ("train",))
