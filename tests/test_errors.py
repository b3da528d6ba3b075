"""The exception tree: one code each, as the design says."""

from __future__ import annotations

from pipeline import errors


def test_each_type_has_its_code() -> None:
    codes = {kind.__name__: kind.exit_code for kind in errors.SlimlineError.__subclasses__()}
    assert codes == {
        "ConfigError": 2,
        "DataError": 3,
        "ArtifactError": 4,
        "UntrustedModelError": 5,
        "BusyError": 6,
        "StorageError": 7,
        "TrainingError": 8,
        "PromiseError": 9,
    }
    assert (errors.EXIT_BUG, errors.EXIT_INTERRUPTED, errors.EXIT_TERMINATED) == (1, 130, 143)
