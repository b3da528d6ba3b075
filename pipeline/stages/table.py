"""The table of stages: what each one needs, makes and depends on."""

from __future__ import annotations

from pipeline.stages import (
    cluster,
    distill,
    evaluate,
    export,
    load,
    narrow,
    prepare,
    prune,
    quantize,
    report,
    train,
    tune,
)
from pipeline.stages.contract import Stage
from pipeline.stages.inputs import teacher_role

_KERAS = ("tensorflow", "keras", "numpy")
_BRIDGE = (*_KERAS, "tf_keras", "tensorflow-model-optimization")
_LITERT = ("ai-edge-litert", "numpy")

STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            name="data",
            version=3,
            run=prepare.run,
            sections=("data",),
            needs=(),
            produces="data",
            libraries=("numpy",),
        ),
        Stage(
            name="load",
            version=1,
            run=load.run,
            # What is asked of the model later is held against it here, before any work.
            sections=("model", "prune.layers", "cluster.layers", "quantize.method", "stages"),
            needs=("data",),
            produces="model",
            libraries=(*_BRIDGE, *_LITERT),
            label="float",
        ),
        Stage(
            name="train",
            version=3,
            run=train.run,
            sections=("model", "train"),
            needs=("data",),
            uses=("model",),
            produces="model",
            libraries=_KERAS,
            label="float",
            asks=lambda config: teacher_role(config.train),
        ),
        Stage(
            name="tune",
            version=2,
            run=tune.run,
            sections=("model", "train", "tune"),
            needs=("data",),
            uses=("model",),
            produces="model",
            libraries=(*_BRIDGE, "keras-tuner", "scikit-learn", "scipy"),
            label="float",
            check=tune.check,
            reads=tune.reads,
        ),
        Stage(
            name="distill",
            version=1,
            run=distill.run,
            # What the teacher takes and answers, the student takes and answers.
            sections=("distill", "model"),
            needs=("data", "model"),
            produces="model",
            libraries=_KERAS,
            label="distilled",
            check=distill.check,
        ),
        Stage(
            name="narrow",
            version=1,
            run=narrow.run,
            sections=("narrow",),
            needs=("data", "model"),
            produces="model",
            libraries=_KERAS,
            label="narrowed",
            check=narrow.check,
            asks=lambda config: teacher_role(config.narrow),
        ),
        Stage(
            name="prune",
            version=2,
            run=prune.run,
            sections=("prune",),
            needs=("data", "model"),
            produces="model",
            libraries=_BRIDGE,
            label="pruned",
            check=prune.check,
            asks=lambda config: teacher_role(config.prune),
        ),
        Stage(
            name="cluster",
            version=1,
            run=cluster.run,
            sections=("cluster",),
            needs=("data", "model"),
            produces="model",
            libraries=_BRIDGE,
            label="clustered",
            check=cluster.check,
            asks=lambda config: teacher_role(config.cluster),
        ),
        Stage(
            name="quantize",
            version=2,
            run=quantize.run,
            sections=("quantize", "export.batch_size", "export.parity_samples"),
            needs=("data", "model"),
            uses=("baselines",),
            produces="tflite",
            libraries=(*_BRIDGE, *_LITERT, "ai-edge-quantizer"),
            check=quantize.check,
            asks=lambda config: teacher_role(config.quantize.fine_tuning),
        ),
        Stage(
            name="export",
            version=2,
            run=export.run,
            sections=("export",),
            needs=("data", "model", "baselines"),
            uses=("tflite",),
            produces="bundle",
            libraries=(*_KERAS, *_LITERT),
        ),
        Stage(
            name="evaluate",
            version=2,
            run=evaluate.run,
            sections=("evaluate",),
            needs=("data", "bundle"),
            produces="metrics",
            libraries=(*_LITERT, "tflite-micro"),
        ),
        Stage(
            name="report",
            version=2,
            run=report.run,
            sections=("",),
            needs=("everything",),
            produces="page",
            libraries=("jinja2",),
            check=report.check,
        ),
    )
}
