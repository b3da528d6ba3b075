from __future__ import annotations

import pytest

from pipeline.config.load import validate
from pipeline.config.mlflow import MlflowConfig
from pipeline.errors import ConfigError


@pytest.mark.parametrize("uri", ["https://example.org", "databricks", "postgresql://host/db"])
def test_only_local_stores_are_taken(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"is not on this machine; expected a folder, file:///"):
        validate({"report": {"mlflow": {"tracking_uri": uri}}})


def test_no_logging_unless_asked_and_defaults() -> None:
    assert validate({}).report.mlflow is None
    assert validate({"report": {"mlflow": {}}}).report.mlflow == MlflowConfig(
        tracking_uri="mlruns", experiment="slimline"
    )
