"""`export`, `evaluate` and `report`: what is written and measured at the end."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.base import Section
from pipeline.config.mlflow import MlflowConfig


class ExportConfig(Section):
    """The bundle of files to deploy."""

    batch_size: int = Field(1, ge=1, description="samples in one call of each .tflite")
    parity_samples: int = Field(
        200, ge=1, description="validation samples on which each file is compared with Keras"
    )
    min_label_agreement: float = Field(
        0.95, ge=0, le=1, description="of a quantized file with its Keras model; else exit 9"
    )
    max_mean_difference: float = Field(
        0.1,
        gt=0,
        description="the same for tasks whose answers are numbers: mean difference from the "
        "Keras model, as a part of the outputs' spread",
    )
    strip: bool = Field(
        False,
        description="blank what no runtime reads in each file: names of inner tensors and the "
        "converter's notes; 0.3 KB less after gzip",
    )
    array_name: str = Field(
        "model_data", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="of the C array"
    )


class EvaluateConfig(Section):
    """What is measured on the test split and on this machine."""

    threads: int = Field(1, ge=1, le=256, description="of the interpreter")
    latency_runs: int = Field(200, ge=10, description="timed calls of each file")


class ReportConfig(Section):
    """The page that shows it all."""

    title: str | None = Field(None, description="default: the run's name")
    mlflow: MlflowConfig | None = Field(
        None, description="log the finished run to a local MLflow store; {} takes the defaults"
    )
