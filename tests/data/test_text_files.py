"""Texts and answers from files and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.text import TextConfig
from pipeline.data.text_files import read_texts
from pipeline.errors import DataError


def read(path: Path, task: str = "binary", **values: Any) -> tuple[list[str], list[Any]]:
    part = read_texts([path], TextConfig(**values), task)
    assert part.y is not None
    return part.x.tolist(), part.y.tolist()


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_sentences_a_tab_and_the_answer(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", 'Good, "very" good.  \t1\n"Bad\u0085.\t0\n')
    assert read(path, quotes=False) == (['Good, "very" good.', '"Bad\u0085.'], ["1", "0"])


def test_columns_by_name(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'stars,review,by\n5,"Good, good",me\n2.5,Bad,you\n')
    found = read(path, "regression", text="review", label="stars")
    assert found == (["Good, good", "Bad"], [[5.0], [2.5]])
    bare = write(tmp_path / "b.csv", "5,Good,me\n1,Bad,you\n")
    names = {"columns": ("stars", "review", "by"), "text": "review", "label": "stars"}
    assert read(bare, **names) == (["Good", "Bad"], ["5", "1"])


def test_a_folder_per_class(tmp_path: Path) -> None:
    write(tmp_path / "pos" / "2.txt", "Fine\nfilm\n")
    write(tmp_path / "pos" / "1.txt", "Good")
    write(tmp_path / "neg" / "1.txt", "Bad")
    write(tmp_path / "neg" / "notes.md", "not a text")
    # No digest of the source sees what is hidden, so neither do the samples.
    write(tmp_path / "pos" / "._1.txt", "left behind by a file manager")
    write(tmp_path / ".old" / "1.txt", "no class")
    assert read(tmp_path) == (["Bad", "Good", "Fine\nfilm"], ["neg", "pos", "pos"])


def test_several_files_follow_each_other(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, f"text {name}\t1\n") for name in ("b.txt", "a.txt")]
    part = read_texts(paths, TextConfig(), "binary")
    assert part.x.tolist() == ["text b.txt", "text a.txt"]
    assert part.x.dtype == np.object_


@pytest.mark.parametrize(
    ("text", "task", "values", "message"),
    [
        ("a\t1\nb\t\n", "binary", {}, "a.txt:2: column 'label' is empty, expected an answer"),
        ("a\tgood\n", "regression", {}, "a.txt:1: column 'label' is 'good', data.task regression"),
        ("a,b,c\n1,2,3\n", "binary", {}, r"no column 'text' \(data.text.text\)"),
        ("review\tlabel\nGood\t1\n", "binary", {}, r"no column 'text' \(data.text.text\)"),
        ("a\t1\n", "multi_label", {}, "data.task multi_label: texts have one answer each"),
        ('a\t1\n"b\t1\n', "binary", {}, "see data.text.delimiter and data.text.quotes"),
    ],
)
def test_refusals(
    tmp_path: Path, text: str, task: str, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "a.txt", text), task, **values)


def test_refusals_of_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no folder with .txt files in it"):
        read(tmp_path)
    with pytest.raises(DataError, match="has no numbers to predict"):
        read(tmp_path, "regression")


def test_the_real_sentences(real_data: Path) -> None:
    files = sorted((real_data / "sentiment").glob("*_labelled.txt"))
    part = read_texts(files, TextConfig(delimiter="\t", quotes=False), "binary")
    assert len(part.x) == 3000
    assert part.y is not None and (part.y == "1").sum() == 1500
