"""Configurations of text models that tests share."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from pipeline.config.model import ModelConfig


def text_config(architecture: str, **options: Any) -> ModelConfig:
    """Returns a checked configuration."""
    values = {"architecture": architecture, **options}
    config: ModelConfig = TypeAdapter(ModelConfig).validate_python(values)
    return config
