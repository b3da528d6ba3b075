"""The structure of a `.keras` file: a zip of three members, checked before one is unpacked."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from pathlib import Path

from pipeline.errors import UntrustedModelError
from pipeline.foreign.limits import MAX_CONFIG_BYTES, MAX_FILE_BYTES

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
# Member → the bytes that it may take once unpacked.
MEMBERS = {CONFIG: MAX_CONFIG_BYTES, METADATA: 1 << 16, WEIGHTS: MAX_FILE_BYTES}
# Folders that Keras writes even when no layer has files.
EMPTY_FOLDERS = frozenset({"assets/"})
# JSON packs about thirtyfold, weights hardly at all.
MAX_EXPANSION = 100
SMALL_MEMBER_BYTES = 1 << 16
_ENCRYPTED = 0x1
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError,
            ValueError, KeyError)  # fmt: skip


def unpack(path: Path, folder: Path) -> tuple[str, str]:
    """Checks an archive and unpacks it.

    Args:
        path: the `.keras` file.
        folder: receives model.weights.h5 and nothing else.

    Returns:
        config.json and metadata.json as text.

    Raises:
        UntrustedModelError: torn, or anything else than the members that Keras writes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = check_members(archive, path)
            with archive.open(members[WEIGHTS]) as packed, open(folder / WEIGHTS, "wb") as plain:
                shutil.copyfileobj(packed, plain)
            return _text(archive, members[CONFIG]), _text(archive, members[METADATA])
    except _DAMAGED as error:
        raise UntrustedModelError(
            f"{path}: not a whole .keras file ({_one_line(error)}); save the model again"
        ) from error


def check_members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Checks the archive's table of contents; nothing is unpacked.

    Args:
        archive: open for reading.
        path: for messages.

    Returns:
        The three members by name.

    Raises:
        UntrustedModelError: names, kinds or sizes that Keras does not write.
    """
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        if member.filename in EMPTY_FOLDERS and member.file_size == 0:
            continue
        if member.filename in members:
            raise UntrustedModelError(
                f"{path}: has '{member.filename}' twice; save the model again"
            )
        if member.filename not in MEMBERS:
            raise UntrustedModelError(
                f"{path}: has the member '{member.filename[:200]}', expected {CONFIG}, {METADATA} "
                f"and {WEIGHTS} alone; models with files of their own (vocabularies) are not read"
            )
        fault = _member_fault(member)
        if fault is not None:
            raise UntrustedModelError(
                f"{path}: '{member.filename}' {fault}; save the model again with Keras"
            )
        members[member.filename] = member
    missing = [name for name in MEMBERS if name not in members]
    if missing:
        raise UntrustedModelError(
            f"{path}: a zip without {', '.join(missing)}, so no .keras file; save the model again"
        )
    if sum(member.compress_size for member in members.values()) > path.stat().st_size:
        raise UntrustedModelError(
            f"{path}: its members overlap one another; save the model again with Keras"
        )
    return members


def _member_fault(member: zipfile.ZipInfo) -> str | None:
    """Says why a member is not unpacked, as the end of a sentence."""
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted"
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "is a link or a device, no file"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is compressed by method {member.compress_type}, expected stored or deflated"
    limit = MEMBERS[member.filename]
    if member.file_size > limit:
        return f"expands to {member.file_size:,} bytes, expected at most {limit:,}"
    if member.file_size > max(SMALL_MEMBER_BYTES, MAX_EXPANSION * member.compress_size):
        return (
            f"expands from {member.compress_size:,} to {member.file_size:,} bytes, expected at "
            f"most {MAX_EXPANSION} times as many"
        )
    return None


def _text(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    # zipfile stops at the size that the table of contents states, and checks the CRC.
    return archive.read(member).decode("utf-8")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
