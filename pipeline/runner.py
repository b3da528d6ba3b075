"""Runs a chain: what is fresh is taken, what is not is made, and everything is recorded."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import runtime
from pipeline.artifacts.files import sha256_json, storage_errors
from pipeline.artifacts.fingerprint import describe_host, library_versions, stage_key
from pipeline.artifacts.locks import hold_lock
from pipeline.artifacts.manifest import Manifest, describe_files
from pipeline.artifacts.run_folder import (
    RESERVED,
    failed_folder,
    link_result,
    remove_links,
    write_run,
)
from pipeline.artifacts.store import Artifact, Store
from pipeline.config.schema import Config
from pipeline.data.reading import data_errors
from pipeline.errors import ArtifactError, ConfigError
from pipeline.foreign.custom import load_custom_objects
from pipeline.plan import (
    chain_of,
    check_range,
    config_after,
    describe_inputs,
    describe_stage,
)
from pipeline.progress import Progress, SilentProgress
from pipeline.record import LIBRARIES, describe_run, utc_now
from pipeline.results import RunResult, StageOutcome
from pipeline.stages.contract import Context, Stage, StageResult
from pipeline.training.release import release_memory

if TYPE_CHECKING:
    from pipeline.tflite.worker import ConversionWorker


def run_chain(
    config: Config,
    artifacts: Path,
    progress: Progress | None = None,
    first: str | None = None,
    last: str | None = None,
    force: Iterable[str] = (),
    config_name: str = "CONFIG",
    workers: int = 1,
) -> RunResult:
    """Runs the stages of `config` that are not fresh.

    Args:
        config: the checked configuration; `run.name` must be set.
        artifacts: the artifacts folder.
        progress: where bars and notes go; default nowhere.
        first: stages before this one must be there already.
        last: the last stage to run.
        force: stages to run again although they are fresh.
        config_name: what follows `slimline run` to make this run, for messages and the report.
        workers: processes that do the trials of `tune`, ≥ 1.

    Returns:
        The outcome of each stage from the data to `last`.

    Raises:
        SlimlineError: of the type that tells what failed; earlier results stay.
    """
    name = run_name(config)
    progress = progress or SilentProgress()
    runner = _Runner(config, Store(artifacts), name, progress, config_name, workers)
    chain = chain_of(config)
    force = frozenset(force)
    start, end = check_range(chain, first, last, force)
    busy = f"run '{name}' is being made by another process; wait for it or give another --name"
    with hold_lock(artifacts / name / ".lock", busy), ExitStack() as cleanup:
        cleanup.callback(runner.close)
        return runner.run(chain, start, end, force)


def run_name(config: Config) -> str:
    """Returns the run's name.

    Raises:
        ConfigError: none is set, or it is the store's.
    """
    if config.run.name is None:
        raise ConfigError("run.name: missing; a configuration without a file needs a name")
    if config.run.name in RESERVED:
        raise ConfigError(f"run.name: '{config.run.name}' is taken by the store; choose another")
    return config.run.name


class _Runner:
    """The state of one run: results so far, and the child process that converts."""

    def __init__(
        self,
        config: Config,
        store: Store,
        name: str,
        progress: Progress,
        config_name: str,
        workers: int,
    ) -> None:
        self.config = config
        self.store = store
        self.name = name
        self.progress = progress
        self.config_name = config_name
        self.workers = workers
        self.results: dict[str, Artifact] = {}
        self.outcomes: dict[str, StageOutcome] = {}
        self.versions: dict[str, str] = {}
        self._converter: ConversionWorker | None = None

    def run(self, chain: list[Stage], start: int, end: int, force: frozenset[str]) -> RunResult:
        remove_links(self.store, self.name, {stage.name for stage in chain})
        for position, stage in enumerate(chain[:end]):
            config = config_after(self.config, self.results)
            shutil.rmtree(failed_folder(self.store, self.name, stage.name), ignore_errors=True)
            inputs = describe_inputs(stage, config, chain, self.results)
            made_of = describe_stage(stage, config, inputs, self.store)
            key = stage_key(made_of)
            with self.store.hold(key):
                found = None if stage.name in force else self.store.find(key)
                if found is None and position < start and stage.name != "data":
                    raise ArtifactError(
                        f"no fresh result of '{stage.name}', which '{chain[start].name}' works "
                        f"on; make it with: slimline run {self.config_name} --to {stage.name}"
                    )
                if found is None:
                    upcoming = [s.name for s in chain[position:end]]
                    artifact = self._make(stage, config, key, made_of, inputs, upcoming)
                else:
                    artifact = found
                path = link_result(self.store, self.name, stage.name, key)
            self._record(stage, artifact, path, cached=found is not None)
        return RunResult(self.name, self.store.root / self.name, self.outcomes)

    def _make(
        self,
        stage: Stage,
        config: Config,
        key: str,
        made_of: dict[str, Any],
        inputs: Mapping[str, Mapping[str, Artifact]],
        upcoming: list[str],
    ) -> Artifact:
        """Runs a stage in its work folder and publishes the result."""
        work = self.store.work(key)
        output = work / "output"
        with storage_errors(work):
            shutil.rmtree(output, ignore_errors=True)
            output.mkdir(parents=True)
        if "keras" in stage.libraries:
            if {"quantize", "export"} & set(upcoming):
                self._start_converter()  # its imports overlap with the training
            # Each stage starts from the seed, so that what ran before it does not matter.
            runtime.start_tensorflow(self.config.run.seed)
            # The code of the user's own layers, once it is asked for, before a model is read.
            load_custom_objects(getattr(self.config.model, "custom_objects", None))
        self.progress.note(f"{stage.name}: started")
        started = time.perf_counter()
        context = Context(
            seed=self.config.run.seed,
            inputs=inputs,
            work=work,
            output=output,
            failed=failed_folder(self.store, self.name, stage.name),
            progress=self.progress,
            converter=self._start_converter,
            made_of=made_of,
            run=self._describe_run(),
            workers=self.workers,
        )
        with storage_errors(work), data_errors():
            result = stage.run(config, context)
        release_memory()
        for note in result.notes:
            self.progress.note(f"{stage.name}: {note}")
        manifest = self._manifest(stage, key, made_of, output, result, started)
        artifact = self.store.publish(output, manifest)
        shutil.rmtree(work, ignore_errors=True)
        return artifact

    def _manifest(
        self,
        stage: Stage,
        key: str,
        made_of: dict[str, Any],
        output: Path,
        result: StageResult,
        started: float,
    ) -> Manifest:
        files = describe_files(output)
        digest = result.digest or sha256_json({name: e.sha256 for name, e in files.items()})
        return Manifest(
            stage=stage.name,
            key=key,
            made_of=made_of,
            digest=digest,
            files=files,
            metrics=result.metrics,
            notes=result.notes,
            seconds=round(time.perf_counter() - started, 3),
            created=utc_now(),
            host=describe_host(),
            versions=self._library_versions(),
        )

    def _record(self, stage: Stage, artifact: Artifact, path: Path, cached: bool) -> None:
        manifest = artifact.manifest
        self.results[stage.name] = artifact
        self.outcomes[stage.name] = StageOutcome(
            stage.name,
            manifest.key,
            manifest.digest,
            path,
            cached,
            manifest.seconds,
            manifest.metrics,
            manifest.notes,
        )
        words = "cached" if cached else f"done in {manifest.seconds:.1f} s"
        self.progress.note(f"{stage.name}: {words}")
        write_run(self.store, self.name, self._describe_run())

    def _describe_run(self) -> dict[str, Any]:
        return describe_run(
            self.config, self.name, self.config_name, self.outcomes, self._library_versions()
        )

    def _library_versions(self) -> dict[str, str]:
        if not self.versions:
            self.versions = library_versions(LIBRARIES)
        return self.versions

    def _start_converter(self) -> ConversionWorker:
        from pipeline.tflite.worker import ConversionWorker

        if self._converter is None:
            self._converter = ConversionWorker()
            self._converter.start()
        return self._converter

    def close(self) -> None:
        """Ends the child process that converts."""
        if self._converter is not None:
            self._converter.close()
