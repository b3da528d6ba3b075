"""quantize: from the model before it to `.tflite` files with fewer bits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.artifacts.files import sha256_file, sha256_json
from pipeline.config.schema import Config
from pipeline.errors import ConfigError
from pipeline.quantization.material import Material
from pipeline.stages.contract import Context, StageResult
from pipeline.stages.inputs import (
    REFERENCE_FILE,
    clustered_kernels,
    load_input_model,
    load_splits,
    load_teacher,
    patterned_kernels,
    with_answers,
)

if TYPE_CHECKING:
    import numpy as np

    from pipeline.data.prepared import PreparedData
    from pipeline.quantization.source import Source
    from pipeline.tasks.task import Task


def check(config: Config) -> None:
    """Refuses, when planned, an optimizer that the bridge lacks, and what splits clusters."""
    from pipeline.bridge.optimizers_table import check_optimizer_crosses

    if config.quantize.block_size is not None and "cluster" in config.stages:
        raise ConfigError(
            "quantize.block_size: one value of a clustered kernel would become another code in "
            "each block; leave it out, or the stage cluster"
        )
    if config.quantize.cross_layer_equalization and "cluster" in config.stages:
        raise ConfigError(
            "quantize.cross_layer_equalization: each channel gets a factor of its own, and values "
            "that a clustered kernel shares would differ; leave it out, or the stage cluster"
        )
    if config.quantize.method != "ptq":
        check_optimizer_crosses(config.quantize.fine_tuning.optimizer, "quantize.qat")


def run(config: Config, context: Context) -> StageResult:
    """Makes one file per scheme; dtypes, zeros and accuracy are checked on each file."""
    from pipeline.quantization.ladder import climb
    from pipeline.quantization.made import make_files

    material = _gather(config, context)
    made = (climb if config.quantize.method == "auto" else make_files)(material)
    data, chosen = material.data, material.representative
    _save_reference(config, context, data, made.source)
    return StageResult(
        {
            "method": config.quantize.method,
            "files": made.files,
            "metric": data.task.metric,
            "reference": {data.task.metric: material.reference, "samples": len(data.validation)},
            "qat": made.source.metrics,
            "equalization": made.source.equalization,
            "ladder": made.ladder,
            "representative": {
                "samples": len(chosen),
                "class_counts": _class_counts(data, chosen),
            },
        },
        digest=_digest([*made.paths, context.output / REFERENCE_FILE]),
        notes=made.notes(),
    )


def _gather(config: Config, context: Context) -> Material:
    from pipeline.data.representative import choose_representative
    from pipeline.models.predict import predict_outputs

    model = load_input_model(context)
    data = with_answers(
        load_splits(config, context, "train", "validation"),
        "validation",
        lambda x: predict_outputs(model, x),
    )
    return Material(
        model=model,
        data=data,
        settings=config.quantize,
        representative=choose_representative(
            data.train, data.task, config.quantize.representative_samples, context.seed
        ),
        batch_size=config.export.batch_size,
        reference=_float_metric(context, data.task),
        clustered=clustered_kernels(context),
        patterned=patterned_kernels(context),
        teacher=load_teacher(context),
        seed=context.seed,
        work=context.work,
        output=context.output,
        failed=context.failed,
        progress=context.progress,
        converter=context.converter,
    )


def _digest(paths: list[Path]) -> str:
    """The files that ship and the answers they are held to; not the history with its seconds."""
    return sha256_json({path.name: sha256_file(path) for path in paths})


def _float_metric(context: Context, task: Task) -> float:
    """Returns the validation figure of the float model that the chain started from."""
    first = next(iter(context.inputs["baselines"].values()))
    return float(first.metrics["validation"][task.metric])


def _save_reference(config: Config, context: Context, data: PreparedData, source: Source) -> None:
    """Keeps what the converted model answers, for `export` to compare the files with.

    A model trained with quantization in the loop never leaves this stage, its answers do.
    """
    import numpy as np

    from pipeline.data.representative import choose_representative

    chosen = choose_representative(
        data.validation, data.task, config.export.parity_samples, context.seed
    )
    outputs = source.predict(data.validation.x[chosen])
    np.savez(context.output / REFERENCE_FILE, indices=chosen, outputs=outputs)


def _class_counts(data: PreparedData, chosen: np.ndarray) -> list[int] | None:
    """Returns how many samples each class has among the chosen; None where there are none."""
    import numpy as np

    if not data.task.has_labels:
        return None
    classes = len(data.task.class_names)
    counts: list[int] = np.bincount(data.train.y[chosen], minlength=classes).tolist()
    return counts
