"""The plan of a run: which stages, on which inputs, fresh or to be made, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.artifacts.files import sha256_file
from pipeline.artifacts.fingerprint import explain_change, library_versions, stage_key
from pipeline.artifacts.manifest import MANIFEST_NAME, read_manifest
from pipeline.artifacts.run_folder import linked_keys
from pipeline.artifacts.store import Artifact, Store
from pipeline.config.load import as_plain_data
from pipeline.config.model_file import begins_with_file, model_files
from pipeline.config.schema import STAGE_NAMES, Config
from pipeline.config.substitution import substitute
from pipeline.data.fingerprint import describe_files, describe_source
from pipeline.errors import ArtifactError, ConfigError
from pipeline.foreign.custom import describe_module
from pipeline.stages.contract import Stage
from pipeline.stages.table import STAGES

DIGEST_CACHE = ".file-digests.json"


@dataclass(frozen=True)
class PlannedStage:
    """One line of `slimline run --dry-run`.

    Attributes:
        state: "cached", "run", "waits" (its inputs will be made anew, so its key is unknown) or
            "missing" (it comes before the first stage to run, and has no fresh result).
        reason: why it is not cached, or where the cached result is.
    """

    stage: str
    state: str
    reason: str
    key: str | None


def chain_of(config: Config) -> list[Stage]:
    """Returns the stages of a run in order, after checking that they fit.

    The data come first, then a model from a file where there is one.

    Raises:
        ConfigError: a stage lacks what it consumes, or its own check refuses.
    """
    implicit = ("data", "load") if begins_with_file(config) else ("data",)
    chain = [STAGES[name] for name in (*implicit, *config.stages)]
    for position, stage in enumerate(chain):
        before = chain[:position]
        for role in stage.roles_needed(config):
            if not stages_for(role, before):
                if role == "teacher":
                    raise ConfigError(
                        f"stages: the distillation of '{stage.name}' needs a float model before "
                        "it as the teacher, and there is none; give model.path, or leave the "
                        "distillation out"
                    )
                makers = " or ".join(n for n in STAGE_NAMES if stages_for(role, [STAGES[n]]))
                makers += " before it, or give model.path" if role == "model" else " before it"
                raise ConfigError(
                    f"stages: '{stage.name}' needs a {role}, and no stage before it makes one; "
                    f"put {makers}"
                )
        if stage.check is not None:
            stage.check(config)
    return chain


def stages_for(role: str, before: list[Stage]) -> dict[str, str]:
    """Returns the earlier stages whose results fill a role, in chain order.

    Returns:
        name in the role → name of the stage; baselines go by label ("float"), the others by stage.
    """
    if role == "everything":
        return {stage.name: stage.name for stage in before}
    if role == "baselines":
        return {stage.label: stage.name for stage in before if stage.label is not None}
    if role == "teacher":
        return {name: maker for name, maker in stages_for("baselines", before).items()
                if name == "float"}  # fmt: skip
    makers = [stage.name for stage in before if stage.produces == role]
    return {name: name for name in makers[-1:]}


def describe_inputs(
    stage: Stage, config: Config, chain: list[Stage], results: Mapping[str, Artifact]
) -> dict[str, dict[str, Artifact]]:
    """Returns role → name in the role → result for everything the stage reads."""
    before = chain[: chain.index(stage)]
    return {
        role: {name: results[maker] for name, maker in stages_for(role, before).items()}
        for role in (*stage.roles_needed(config), *stage.uses)
    }


def config_after(config: Config, results: Mapping[str, Artifact]) -> Config:
    """Returns the configuration for the next stage: with what the stages before it decided.

    Args:
        config: as it was given.
        results: of the stages before, in chain order.
    """
    overrides: dict[str, Any] = {}
    for result in results.values():
        overrides |= result.metrics.get("overrides", {})
    return substitute(config, overrides) if overrides else config


def describe_stage(
    stage: Stage, config: Config, inputs: Mapping[str, Mapping[str, Artifact]], store: Store
) -> dict[str, Any]:
    """Returns all that shapes a stage's result: what its key is the SHA-256 of."""
    more = () if stage.reads is None else stage.reads(config)
    made_of: dict[str, Any] = {
        "stage": stage.name,
        "version": stage.version,
        "config": sections_of(config, (*stage.sections, *more)),
        "inputs": {
            role: {name: _input_digest(role, result) for name, result in results.items()}
            for role, results in inputs.items()
        },
        "seed": config.run.seed,
        "libraries": library_versions(stage.libraries),
    }
    if stage.name == "data":
        # The file's place does not matter, its content does.
        for key in ("path", "validation_path", "test_path"):
            made_of["config"]["data"].pop(key)
        made_of["inputs"] = {"source": describe_source(config.data, store.folder / DIGEST_CACHE)}
    for field, path in model_files(config).items() if "model" in made_of["config"] else ():
        made_of["config"]["model"][field.removeprefix("model.")] = "file"
        made_of["inputs"][field] = describe_files({"": path}, store.folder / DIGEST_CACHE, field)
    if config.model.architecture == "file" and stage.name != "data":
        # Every stage behind `load` measures by it.
        made_of["config"]["model.outputs"] = config.model.outputs
    custom = made_of["config"].get("model", {}).get("custom_objects")
    if custom is not None:
        made_of["inputs"]["model.custom_objects"] = describe_module(custom)
    return made_of


def _input_digest(role: str, result: Artifact) -> str:
    """A report shows timings too, so it depends on the very manifest, not on its meaning."""
    return sha256_file(result.path / MANIFEST_NAME) if role == "everything" else result.digest


def sections_of(config: Config, paths: tuple[str, ...]) -> dict[str, Any]:
    """Returns the named parts of the configuration as plain data; "" is all of it."""
    whole = as_plain_data(config)
    parts = {}
    for path in paths:
        value: Any = whole
        for key in path.split(".") if path else ():
            value = value[key]
        parts[path or "all"] = value
    return parts


def check_range(
    chain: list[Stage], first: str | None, last: str | None, force: Iterable[str]
) -> tuple[int, int]:
    """Returns the positions of the first stage to run and of the one after the last.

    Raises:
        ConfigError: a stage is not in the chain, or `first` comes after `last`.
    """
    names = [stage.name for stage in chain]
    for wanted in (first, last, *force):
        if wanted is not None and wanted not in names:
            raise ConfigError(f"stage '{wanted}' is not in this chain: {', '.join(names)}")
    start = names.index(first) if first else 0
    end = names.index(last) + 1 if last else len(names)
    if start >= end:
        raise ConfigError(f"--from {first} comes after --to {last} in this chain")
    return start, end


def make_plan(
    config: Config,
    store: Store,
    run: str,
    first: str | None = None,
    last: str | None = None,
    force: frozenset[str] = frozenset(),
) -> list[PlannedStage]:
    """Says for each stage whether its result is there, and if not, why. Changes nothing."""
    chain = chain_of(config)
    start, end = check_range(chain, first, last, force)
    links = linked_keys(store, run)
    results: dict[str, Artifact] = {}
    plan: list[PlannedStage] = []
    for position, stage in enumerate(chain[:end]):
        own = config_after(config, results)
        try:
            inputs = describe_inputs(stage, own, chain, results)
        except KeyError as missing:
            reason = f"its input {missing.args[0]} will be made"
            plan.append(PlannedStage(stage.name, "waits", reason, None))
            continue
        made_of = describe_stage(stage, own, inputs, store)
        key = stage_key(made_of)
        artifact = store.find(key)
        if artifact is None or stage.name in force:
            reason = "forced" if artifact else why_not_cached(store, stage, key, links, made_of)
            state = "missing" if position < start and stage.name != "data" else "run"
            plan.append(PlannedStage(stage.name, state, reason, key))
        else:
            results[stage.name] = artifact
            plan.append(PlannedStage(stage.name, "cached", f"store/{key[:12]}", key))
    return plan


def why_not_cached(
    store: Store, stage: Stage, key: str, links: Mapping[str, str], made_of: Mapping[str, Any]
) -> str:
    """Says in a few words why a stage has to be run."""
    if store.path(key).is_dir():
        return "the stored result is corrupt"
    if store.work(key).is_dir():
        return "was interrupted; goes on from its last checkpoint"
    previous = links.get(stage.name)
    if previous is None:
        return "not made yet"
    try:
        return explain_change(read_manifest(Path(store.path(previous))).made_of, made_of)
    except ArtifactError:
        return "not made yet"
