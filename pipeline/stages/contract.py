"""What a stage is, what it is given and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.artifacts.store import Artifact
from pipeline.config.schema import Config
from pipeline.errors import ArtifactError
from pipeline.progress import Progress

if TYPE_CHECKING:
    from pipeline.tflite.worker import ConversionWorker

# data: splits; model: a plain Keras 3 model; tflite: quantized files; bundle: what ships;
# metrics: figures of each file; page: the report.
Product = Literal["data", "model", "tflite", "bundle", "metrics", "page"]
# baselines: for each label (float, pruned, …) the last model of the chain; teacher: that of the
# label float alone; everything: all results.
Role = Literal["data", "model", "baselines", "teacher", "tflite", "bundle", "everything"]


@dataclass(frozen=True)
class StageResult:
    """What `run` gives back beside the files in `context.output`.

    Attributes:
        metrics: figures, JSON types only. `overrides` (path → value) in them replaces fields of
            the configuration for the stages after this one: what a search has found for them.
        digest: hex SHA-256 of the result's meaning, equal for equal content; None: the
            SHA-256 over the files.
        notes: lines the user should read.
    """

    metrics: dict[str, Any]
    digest: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Context:
    """What a stage works with.

    Attributes:
        seed: of everything the stage draws.
        inputs: role → name → result, as the stage's table row declares them; baselines go by
            label, the others by the stage that made them.
        work: folder for checkpoints, kept when the stage is killed, deleted when it is done.
        output: empty folder that becomes the result.
        failed: folder, not made yet, for the best of what broke its promise, where the user finds
            it; emptied by the next run, and never taken for a result.
        progress: where bars and notes go.
        converter: starts, or returns, the one child process that converts.
        made_of: what the result's key is the SHA-256 of.
        run: the record of the whole run: name, versions, stages so far (for the report).
        workers: processes that may do a search's trials side by side.
    """

    seed: int
    inputs: Mapping[str, Mapping[str, Artifact]]
    work: Path
    output: Path
    failed: Path
    progress: Progress
    converter: Callable[[], ConversionWorker]
    made_of: Mapping[str, Any] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1

    def input(self, role: Role) -> Artifact:
        """Returns the one result of a role.

        Raises:
            ArtifactError: the chain has none.
        """
        results = list(self.inputs.get(role, {}).values())
        if not results:
            raise ArtifactError(f"no {role} was made before this stage")
        return results[-1]


@dataclass(frozen=True)
class Stage:
    """A row of the table of stages.

    Attributes:
        name: a verb, also the command's and the section's name.
        version: raised when the stage makes something else of the same inputs.
        run: the work; imports nothing heavy before it is called.
        sections: parts of the configuration that shape the result.
        needs: roles without which the stage cannot work.
        uses: roles that it takes when the chain has them.
        asks: roles that it needs because of this configuration: a teacher where it distills.
        produces: the kind of result.
        libraries: distributions whose version shapes the result.
        label: name of its model among the baselines ("float", "distilled", "pruned", "clustered").
        check: refuses, when planned, what the sections alone cannot (stages behind the bridge).
        reads: more sections that shape the result of this configuration (tune, where trials
            prune or quantize).
    """

    name: str
    version: int
    run: Callable[[Config, Context], StageResult]
    sections: tuple[str, ...]
    needs: tuple[Role, ...]
    produces: Product
    libraries: tuple[str, ...]
    uses: tuple[Role, ...] = ()
    label: str | None = None
    check: Callable[[Config], None] | None = None
    reads: Callable[[Config], tuple[str, ...]] | None = None
    asks: Callable[[Config], tuple[Role, ...]] | None = None

    def roles_needed(self, config: Config) -> tuple[Role, ...]:
        """Returns the roles without which the stage cannot do what this configuration says."""
        return self.needs if self.asks is None else (*self.needs, *self.asks(config))
