"""`report.mlflow`: logging of a finished run to a local MLflow store."""

from __future__ import annotations

from pydantic import Field, field_validator

from pipeline.config.base import Section

LOCAL_SCHEMES = ("file://", "sqlite:///")


class MlflowConfig(Section):
    """Where MLflow keeps its runs; needs the extra slimline[mlflow]."""

    tracking_uri: str = Field(
        "mlruns", min_length=1, description="a folder, or a file as sqlite:///mlflow.db; local only"
    )
    experiment: str = Field("slimline", min_length=1, description="name of the experiment")

    @field_validator("tracking_uri")
    @classmethod
    def _local(cls, uri: str) -> str:
        if ("://" in uri and not uri.startswith(LOCAL_SCHEMES)) or uri.startswith("databricks"):
            raise ValueError(
                f"'{uri}' is not on this machine; expected a folder, file:///… or sqlite:///…"
            )
        return uri
