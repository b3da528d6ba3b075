"""quantize: from the model before it to `.tflite` files with fewer bits."""

from __future__ import annotations

from dataclasses import replace
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
    if config.quantize.method == "qat":
        check_optimizer_crosses(config.quantize.fine_tuning.optimizer, "quantize.qat")


def run(config: Config, context: Context) -> StageResult:
    """Makes one file per scheme; dtypes, zeros and accuracy are checked on each file."""
    from pipeline.quantization.equalized import equalize_layers
    from pipeline.quantization.layer_errors import layer_notes
    from pipeline.quantization.one_file import describe_file, file_notes, make_request
    from pipeline.quantization.quality import check_quality
    from pipeline.quantization.source import model_as_it_is, train_with_quantization
    from pipeline.tflite.convert import convert

    settings = config.quantize
    material = _gather(config, context)
    if settings.method == "qat":
        source = train_with_quantization(material, settings.fine_tuning)
    elif settings.cross_layer_equalization:
        source = equalize_layers(material)
    else:
        source = model_as_it_is(material.model)
    material = replace(material, data=with_answers(material.data, "validation", source.predict))
    saved = context.work / "saved_model"
    source.save(saved, material.batch_size)
    data, chosen = material.data, material.representative
    requests = [make_request(settings, name) for name in settings.schemes]
    paths = convert(saved, requests, data.train.x[chosen], context.output, context.converter())
    compared = saved if source.metrics is None else None
    files = [
        describe_file(request, paths[request.name], material, compared) for request in requests
    ]
    for file in files:
        check_quality(file, data.task, settings)
    _save_reference(config, context, data, source)
    return StageResult(
        {
            "method": settings.method,
            "files": files,
            "metric": data.task.metric,
            "reference": {data.task.metric: material.reference, "samples": len(data.validation)},
            "qat": source.metrics,
            "equalization": source.equalization,
            "representative": {
                "samples": len(chosen),
                "class_counts": _class_counts(data, chosen),
            },
        },
        digest=_digest([*paths.values(), context.output / REFERENCE_FILE]),
        notes=(*source.notes, *file_notes(files), *layer_notes(files)),
    )


def _gather(config: Config, context: Context) -> Material:
    from pipeline.data.representative import choose_representative

    data = load_splits(config, context, "train", "validation")
    return Material(
        model=load_input_model(context),
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
