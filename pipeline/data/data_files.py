"""The files that `data.path` means: one, or all that a pattern matches.

Only the standard library is imported: the fingerprint of an unchanged run comes by here.
"""

from __future__ import annotations

import glob
from pathlib import Path

from pipeline.errors import DataError

PATTERN_SIGNS = "*?["


def data_files(path: Path, key: str = "data.path") -> list[Path]:
    """Finds the files of a path.

    Args:
        path: a file or folder, or a pattern of files: winequality-*.csv.xz, part-[0-9].csv.
        key: the configuration's, for messages.

    Returns:
        The path itself, or the matching files in order of their names.

    Raises:
        DataError: nothing is there, or nothing matches.
    """
    if path.exists():
        return [path]
    if not any(sign in path.name for sign in PATTERN_SIGNS):
        raise DataError(f"{key} {path}: no such file or folder; expected data there")
    # The folder is taken literally, whatever signs its name has.
    pattern = Path(glob.escape(str(path.parent))) / path.name
    found = sorted(Path(match) for match in glob.glob(str(pattern)))
    files = [match for match in found if match.is_file()]
    if not files:
        raise DataError(f"{key} {path}: no file matches; expected some in {path.parent}")
    return files
