"""The files that a source is read from, and one digest over them.

Only the standard library is imported: the fingerprint of an unchanged run comes by here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.data.data_files import data_files
from pipeline.data.image_folder import list_images
from pipeline.errors import DataError
from pipeline.tasks.task import TASKS

if TYPE_CHECKING:
    from pipeline.config.data import DataConfig

# Part → the key that names its files, of the sources that are read from rows.
ROW_PATHS = {"train": "path", "validation": "validation_path", "test": "test_path"}


def source_files(config: DataConfig) -> dict[str, Path]:
    """Finds the files of a source; none is opened.

    Args:
        config: the data section, with a path.

    Returns:
        A name that does not depend on where the data lies → file, in a fixed order; the name of
        a single file is "".

    Raises:
        DataError: nothing is there, or a file that does not belong there.
    """
    if config.path is None:
        return {}
    if config.source == "images":
        names = list_images(config.path, labelled=TASKS[config.task].has_answers).files
        return {name: config.path / name for name in names}
    if config.source not in ("csv", "text"):
        return {"": config.path}
    found = {
        f"{part}/{name}": file
        for part, paths in row_paths(config).items()
        for path in paths
        for name, file in _files_within(path).items()
    }
    return found if len(found) > 1 else dict(zip([""], found.values(), strict=True))


def row_paths(config: DataConfig) -> dict[str, list[Path]]:
    """Returns part → files or folders of a csv or text source; "all" where nothing else is given.

    Raises:
        DataError: nothing is there.
    """
    given = {part: getattr(config, key) for part, key in ROW_PATHS.items()}
    found = {
        part: data_files(path, f"data.{ROW_PATHS[part]}")
        for part, path in given.items()
        if path is not None
    }
    return {"all": found["train"]} if list(found) == ["train"] else found


def digest_files(digests: Iterable[tuple[str, str]]) -> str:
    """Returns the hex SHA-256 of a source.

    Args:
        digests: name and hex SHA-256 of each file, as source_files names them; the digest of a
            single file without a name is that of the source.
    """
    entries = list(digests)
    if len(entries) == 1 and entries[0][0] == "":
        return entries[0][1]
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(entries))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def require_unchanged(config: DataConfig, expected: str | None) -> None:
    """Refuses files whose content is not `expected`, what the plan was made of.

    Raises:
        DataError: they changed, or cannot be read.
    """
    if expected is None:
        return
    digests = ((name, digest_file(path)) for name, path in source_files(config).items())
    if digest_files(digests) != expected:
        raise DataError(f"{config.path}: changed after the run was planned; run the command again")


def digest_file(path: Path) -> str:
    """Returns the hex SHA-256 of a file; DataError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path}: {reason}; expected a readable file") from error


def _files_within(path: Path) -> dict[str, Path]:
    """A file by its name; a folder's visible files by their names in it."""
    if not path.is_dir():
        return {path.name: path}
    return {
        file.relative_to(path).as_posix(): file
        for file in sorted(path.rglob("*"))
        if file.is_file() and not any(p.startswith(".") for p in file.relative_to(path).parts)
    }
