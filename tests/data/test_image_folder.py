from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.data.image_folder import ENDINGS, list_images
from pipeline.errors import DataError


def make(root: Path, *names: str) -> Path:
    """Makes empty files: names alone are looked at."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_a_folder_per_class(tmp_path: Path) -> None:
    folder = list_images(make(tmp_path, "dog/2.png", "dog/1.JPG", "cat/a b.gif"))
    assert folder.class_names == ("cat", "dog")
    assert folder.parts == {"all": ("cat/a b.gif", "dog/1.JPG", "dog/2.png")}


def test_split_folders(tmp_path: Path) -> None:
    make(tmp_path, "train/a/1.png", "train/b/1.png", "val/a/1.png", "test/b/1.png")
    folder = list_images(tmp_path)
    assert folder.class_names == ("a", "b")
    assert folder.parts == {
        "train": ("train/a/1.png", "train/b/1.png"),
        "validation": ("val/a/1.png",),
        "test": ("test/b/1.png",),
    }
    assert len(folder.files) == 4


def test_hidden_files_are_left_out_and_links_followed(tmp_path: Path) -> None:
    make(tmp_path, "a/1.png", "a/.DS_Store", ".git/x", "b/Thumbs.db", "b/.hidden.png", "b/2.png")
    (tmp_path / "a" / "link.png").symlink_to(tmp_path / "b" / "2.png")
    (tmp_path / "c").symlink_to(tmp_path / "b")
    assert list_images(tmp_path).parts["all"] == ("a/1.png", "a/link.png", "b/2.png", "c/2.png")


def test_without_labels_images_may_lie_anywhere(tmp_path: Path) -> None:
    folder = list_images(make(tmp_path, "1.png", "some/2.png"), labelled=False)
    assert folder.parts == {"all": ("1.png", "some/2.png")}
    assert folder.class_names == ()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a/1.png", "a/notes.txt"], r"a/notes\.txt: not an image by its ending; expected \.png"),
        (["a/1.png", "2.png"], r"2\.png: lies in no class folder"),
        (["a/deep/1.png"], "a/deep: a folder in a class"),
        (["a/1.png", "b/.x"], "b: has no images"),
        (["train/a/1.png", "test/b/1.png"], "test/b: a class that train/ does not have; .*: a"),
        (["train/a/1.png", "other/1.png"], "other: does not fit beside train/"),
        (["train/a/1.png", "1.png"], r"1\.png: does not fit beside train/"),
        (["test/a/1.png"], "test: there is no train/ beside it"),
        (["train/a/1.png", "val/.x"], "val: has no images"),
        ([".x"], "has no images; expected a folder per class"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        list_images(make(tmp_path, *names))
    assert "\n" not in str(error.value) and str(tmp_path) in str(error.value)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone: No such file or directory; expected a folder per"):
        list_images(tmp_path / "gone")
    make(tmp_path, "file.zip")
    with pytest.raises(DataError, match=r"file\.zip: Not a directory; expected a folder per"):
        list_images(tmp_path / "file.zip")


def test_the_runner_of_shipped_files_knows_the_same_endings() -> None:
    from pipeline.data.raw_input import IMAGE_ENDINGS

    assert set(ENDINGS) == set(IMAGE_ENDINGS)
