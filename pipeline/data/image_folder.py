"""Which files of a folder are images, of which class and split; none is opened.

Only the standard library is imported: the fingerprint of an unchanged run comes by here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import DataError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
SPLIT_FOLDERS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
# What file managers leave behind, beside names that start with a dot.
IGNORED = ("thumbs.db", "desktop.ini")
LAYOUT = (
    "expected a folder per class with images in it, or such folders in train/ and perhaps "
    "validation/ and test/"
)


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder.

    Attributes:
        parts: "all", or "train" with perhaps "validation" and "test" → names relative to the
            folder, in order of class and name.
        class_names: names of the class folders, sorted; empty without labels.
    """

    parts: dict[str, tuple[str, ...]]
    class_names: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """All names."""
        return tuple(name for names in self.parts.values() for name in names)


def list_images(root: Path, labelled: bool = True) -> ImageFolder:
    """Lists a folder of images. Links are followed; hidden files are left out.

    Args:
        root: the folder.
        labelled: whether folders are classes; if not, images may also lie in the folder itself.

    Returns:
        What is there.

    Raises:
        DataError: naming the first folder or file that does not fit.
    """
    folders, files = _entries(root)
    splits = {SPLIT_FOLDERS[name]: name for name in folders if name in SPLIT_FOLDERS}
    if splits and "train" not in splits:
        first = next(iter(splits.values()))
        raise DataError(f"{root / first}: there is no train/ beside it; {LAYOUT}")
    if not splits:
        parts = {"all": _class_folders(root, "", labelled)}
    else:
        others = [name for name in folders if name not in splits.values()]
        if others or files:
            raise DataError(f"{root / [*others, *files][0]}: does not fit beside train/; {LAYOUT}")
        parts = {
            part: _class_folders(root, f"{splits[part]}/", labelled)
            for part in ("train", "validation", "test")
            if part in splits
        }
    first, *rest = parts
    classes = tuple(parts[first])
    for part in rest:
        if labelled and (unknown := sorted(set(parts[part]) - set(classes))):
            raise DataError(
                f"{root / splits[part] / unknown[0]}: a class that train/ does not have; classes "
                f"there: {', '.join(classes)}"
            )
    names = {part: tuple(n for found in by.values() for n in found) for part, by in parts.items()}
    if empty := next((part for part, found in names.items() if not found), None):
        raise DataError(f"{root / splits.get(empty, '')}: has no images; {LAYOUT}")
    return ImageFolder(names, classes if labelled else ())


def _class_folders(root: Path, prefix: str, labelled: bool) -> dict[str, list[str]]:
    """Returns class → names of its images; without labels "" stands for the folder itself."""
    folders, files = _entries(root / prefix)
    if labelled and files:
        raise DataError(f"{root / prefix / files[0]}: lies in no class folder; {LAYOUT}")
    found = {} if labelled else {"": [f"{prefix}{name}" for name in _images(root / prefix, files)]}
    for folder in folders:
        inner, names = _entries(root / prefix / folder)
        if inner:
            raise DataError(f"{root / prefix / folder / inner[0]}: a folder in a class; {LAYOUT}")
        if not names:
            raise DataError(f"{root / prefix / folder}: has no images; {LAYOUT}")
        images = _images(root / prefix / folder, names)
        found[folder] = [f"{prefix}{folder}/{name}" for name in images]
    return found


def _entries(folder: Path) -> tuple[list[str], list[str]]:
    """Returns the sorted names of the visible folders and files."""
    try:
        with os.scandir(folder) as entries:
            seen = [
                (entry.name, entry.is_dir())
                for entry in entries
                if not entry.name.startswith(".") and entry.name.lower() not in IGNORED
            ]
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"data.path {folder}: {reason}; {LAYOUT}") from error
    folders = sorted(name for name, is_folder in seen if is_folder)
    return folders, sorted(name for name, is_folder in seen if not is_folder)


def _images(folder: Path, names: list[str]) -> list[str]:
    for name in names:
        if not name.lower().endswith(ENDINGS):
            raise DataError(
                f"{folder / name}: not an image by its ending; expected {', '.join(ENDINGS)}; move "
                f"it elsewhere, or hide it with a dot in front"
            )
    return names
