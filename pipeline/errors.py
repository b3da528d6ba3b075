"""Every failure that Slimline expects, and the exit code each one ends with.

    SlimlineError
    ├── ConfigError          2  configuration or usage
    ├── DataError            3  the data cannot be used as it is
    ├── ArtifactError        4  a result is missing, torn or of another kind
    ├── UntrustedModelError  5  a model file from outside that will not be opened
    ├── BusyError            6  another process holds the lock or the port
    ├── StorageError         7  disk or permissions
    ├── TrainingError        8  training or search produced nothing usable
    └── PromiseError         9  a promise or a budget was not met

0 is success, 1 a bug (any other exception, which keeps its traceback), 130 and 143 are signals.
The message is one line: what was received, what was expected, what to do.
"""

from __future__ import annotations

EXIT_BUG = 1
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


class SlimlineError(Exception):
    """Base of all expected failures; the type decides the exit code."""

    exit_code = EXIT_BUG


class ConfigError(SlimlineError):
    """The configuration or the command line is wrong."""

    exit_code = 2


class DataError(SlimlineError):
    """The data is missing, malformed or empty."""

    exit_code = 3


class ArtifactError(SlimlineError):
    """A result that is needed is missing, torn or of the wrong kind."""

    exit_code = 4


class UntrustedModelError(SlimlineError):
    """A model file from outside would run code, or is not what it says."""

    exit_code = 5


class BusyError(SlimlineError):
    """Another process is doing this very work."""

    exit_code = 6


class StorageError(SlimlineError):
    """The disk is full, or a path may not be written."""

    exit_code = 7


class TrainingError(SlimlineError):
    """Training or a search ended without a usable model."""

    exit_code = 8


class PromiseError(SlimlineError):
    """A checked promise (sparsity, dtype, parity, accuracy) does not hold."""

    exit_code = 9
