"""From a configuration to the comparison on disk: data, trainings, page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import runtime
from pipeline.artifacts.files import write_bytes_atomic, write_json_atomic
from pipeline.artifacts.fingerprint import stage_key
from pipeline.artifacts.locks import hold_lock
from pipeline.artifacts.store import Store
from pipeline.config.schema import Config
from pipeline.optimizer_study.page import render_page
from pipeline.optimizer_study.settings import StudySettings
from pipeline.optimizer_study.study import run_study, study_digest
from pipeline.plan import describe_stage
from pipeline.progress import Progress
from pipeline.record import utc_now
from pipeline.runner import run_chain, run_name
from pipeline.stages.table import STAGES

FOLDER = "optimizers"


@dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Attributes:
        result: of `run_study`, with the run's name and the paths of page and figures.
        page: the HTML file.
    """

    result: Mapping[str, Any]
    page: Path


def compare_optimizers(
    config: Config,
    settings: StudySettings,
    artifacts: Path,
    progress: Progress,
    page: Path | None = None,
    command: str = "slimline optimizers CONFIG",
) -> Comparison:
    """Trains what is missing, then writes the figures and the page.

    Args:
        config: as read; its data stage is run if it is not fresh.
        settings: made of the same configuration.
        artifacts: the artifacts folder.
        progress: where the bar and the notes go.
        page: where the page goes; default artifacts/<run>/optimizers/optimizers.html.
        command: that makes it again, for the page.

    Raises:
        SlimlineError: of the type that tells what failed; finished trainings are kept.
    """
    from pipeline.data.prepare import load_data

    name = run_name(config)
    prepared, data_digest = prepared_data(config, artifacts, progress)
    runtime.start_tensorflow(config.run.seed)
    data = load_data(config.data, prepared, ("train", "validation"))
    inputs = describe_stage(STAGES["train"], config, {}, Store(artifacts))["inputs"]
    digest = study_digest(settings, data_digest, inputs.get("model.weights"))
    folder = artifacts / name / FOLDER
    own = folder / digest[:16]
    busy = f"{own}: being compared by another process; wait for it or give another --name"
    with hold_lock(own / ".lock", busy):
        result = run_study(settings, data, digest, own, progress)
    page = folder / "optimizers.html" if page is None else page
    result = {"run": name, "folder": str(own), "page": str(page), **result}
    write_bytes_atomic(page, render_page(result, name, command, utc_now()).encode())
    write_json_atomic(folder / "optimizers.json", result)
    return Comparison(result, page)


def prepared_data(config: Config, artifacts: Path, progress: Progress) -> tuple[Path, str]:
    """Returns folder and digest of the prepared data; runs the data stage if they are not there.

    Fresh data is taken as it is, so that the record of a finished run stays whole.
    """
    store = Store(artifacts)
    key = stage_key(describe_stage(STAGES["data"], config, {}, store))
    with store.hold(key):
        found = store.find(key)
    if found is not None:
        return found.path, found.digest
    made = run_chain(config, artifacts, progress, last="data").stages["data"]
    return made.path, made.digest
