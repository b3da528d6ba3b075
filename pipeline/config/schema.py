"""The whole configuration: sections, and the chain of stages."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from pipeline.config.base import Section
from pipeline.config.cluster import ClusterConfig
from pipeline.config.data import DataConfig
from pipeline.config.distill import DistillConfig
from pipeline.config.model import MlpModel, ModelConfig
from pipeline.config.model_file import check_model_file
from pipeline.config.narrow import NarrowConfig
from pipeline.config.outputs import EvaluateConfig, ExportConfig, ReportConfig
from pipeline.config.prune import PruneConfig
from pipeline.config.quantize import QuantizeConfig
from pipeline.config.suggest import did_you_mean
from pipeline.config.task_fit import check_task_fit
from pipeline.config.train import TrainConfig
from pipeline.config.tune import TuneConfig

# Stages that a chain may name, in their usual order; pipeline/stages/table.py runs them.
STAGE_NAMES = (
    "train", "tune", "distill", "narrow", "prune", "cluster", "quantize", "export", "evaluate",
    "report",
)  # fmt: skip
# The chain of a configuration that names none.
DEFAULT_CHAIN = ("train", "tune", "prune", "quantize", "export", "evaluate", "report")


class RunConfig(Section):
    """The run's name and seed."""

    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="folder in artifacts/; default: the configuration's file name",
    )
    seed: int = Field(0, ge=0, lt=2**32, description="of everything that is drawn")


class Config(Section):
    """A run: data, model, one section per stage, and the chain."""

    run: RunConfig = RunConfig()
    data: DataConfig = DataConfig()
    model: ModelConfig = MlpModel(architecture="mlp")
    train: TrainConfig = TrainConfig()
    tune: TuneConfig = TuneConfig()
    distill: DistillConfig = DistillConfig()
    narrow: NarrowConfig = NarrowConfig()
    prune: PruneConfig = PruneConfig()
    cluster: ClusterConfig = ClusterConfig()
    quantize: QuantizeConfig = QuantizeConfig()
    export: ExportConfig = ExportConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    report: ReportConfig = ReportConfig()
    stages: tuple[str, ...] = Field(DEFAULT_CHAIN, min_length=1, description="the chain, in order")

    @field_validator("stages")
    @classmethod
    def _known_once(cls, stages: tuple[str, ...]) -> tuple[str, ...]:
        for stage in stages:
            if stage not in STAGE_NAMES:
                raise ValueError(f"unknown stage '{stage}'{did_you_mean(stage, STAGE_NAMES)}")
        if len(set(stages)) != len(stages):
            twice = next(stage for stage in stages if stages.count(stage) > 1)
            raise ValueError(f"stage '{twice}' appears more than once")
        return stages

    @model_validator(mode="after")
    def _sections_fit_the_task(self) -> Config:
        check_task_fit(self)
        check_model_file(self)
        return self
