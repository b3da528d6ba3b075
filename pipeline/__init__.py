"""Slimline: from a Keras model and data to a small, verified model for the edge."""

from __future__ import annotations

from typing import Any

__all__ = ["__version__", "compress", "load_config", "run"]


def __getattr__(name: str) -> Any:
    """Finds the public names when they are first used: `import pipeline` stays cheap.

    Reading the version alone takes 0.1 s, a third of what --help may take.
    """
    if name in ("run", "load_config"):
        from pipeline import api

        return getattr(api, name)
    if name == "compress":
        from pipeline.recipe.compress import compress

        return compress
    if name == "__version__":
        from importlib import metadata

        try:
            return metadata.version("slimline")
        except metadata.PackageNotFoundError:  # used from a source tree that was not installed
            return "0"
    raise AttributeError(f"module 'pipeline' has no attribute '{name}'")
