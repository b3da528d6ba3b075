"""The command `slimline`: parses, delegates, and turns failures into exit codes."""

from pipeline.cli.entry import main

__all__ = ["main"]
