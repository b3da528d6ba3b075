"""Slimline: from a Keras model and data to a small, verified model for the edge."""

from __future__ import annotations

from importlib import metadata
from typing import Any

__all__ = ["__version__", "load_config", "run"]

try:
    __version__ = metadata.version("slimline")
except metadata.PackageNotFoundError:  # used from a source tree that was not installed
    __version__ = "0"


def __getattr__(name: str) -> Any:
    """Imports the public functions when they are first used: `import pipeline` stays cheap."""
    if name in ("run", "load_config"):
        from pipeline import api

        return getattr(api, name)
    raise AttributeError(f"module 'pipeline' has no attribute '{name}'")
