from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.recipe.source import answers_of, data_section, has_own_validation


def test_what_stands_behind_data(tmp_path: Path) -> None:
    assert data_section("digits") == {"source": "digits"}
    assert data_section("keras:mnist") == {"source": "keras:mnist"}
    assert data_section(str(tmp_path)) == {"source": "images", "path": str(tmp_path)}
    file = str(tmp_path / "x.npz")
    assert data_section(file) == {"source": "npz", "path": file}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nothing.bin", r"--data nothing.bin: expected a .npz file \(x, y or"),
        ("csv", "--data csv: that source needs more than a name"),
    ],
)
def test_what_cannot_be_understood(given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        data_section(given)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (np.arange(3), "classes"),
        (np.array(["a", "b", "a"]), "classes"),
        (np.arange(3).reshape(3, 1), "classes"),
        (np.arange(3.0), "numbers"),
        (np.eye(3), "unknown"),
    ],
)
def test_labels_are_told_by_their_form(y: Any, expected: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x_train=np.zeros((3, 2)), y_train=y)
    assert answers_of(data_section(str(tmp_path / "d.npz"))) == expected


def test_validation_samples_of_its_own(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", x_train=np.zeros(2), x_val=np.zeros(2))
    np.savez(tmp_path / "cut.npz", x_train=np.zeros(2))
    assert has_own_validation(data_section(str(tmp_path / "own.npz")))
    assert not has_own_validation(data_section(str(tmp_path / "cut.npz")))
    assert not has_own_validation({"source": "npz", "path": "missing.npz"})
    assert not has_own_validation({"source": "digits"})


def test_other_sources_tell_their_labels(tmp_path: Path) -> None:
    assert answers_of({"source": "digits"}) == "classes"
    assert answers_of({"source": "images", "path": str(tmp_path)}) == "classes"
    assert answers_of({"source": "keras:boston_housing"}) == "numbers"
    assert answers_of({"source": "npz", "path": str(tmp_path / "missing.npz")}) == "unknown"
