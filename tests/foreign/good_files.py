"""Files of small models, written once for all tests that read files from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.foreign.foreign_models import cnn, library, with_signal


@pytest.fixture(scope="session")
def good_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small model in each format, by the name of its file."""
    folder = tmp_path_factory.mktemp("good")
    files: dict[str, Path] = {}
    for name in ("keras", "tf_keras"):
        model: Any = with_signal(cnn(library(name)))
        model.compile("adam", "sparse_categorical_crossentropy")
        for suffix in ("keras", "h5"):
            path = folder / f"{name}.{suffix}"
            model.save(path)
            files[path.name] = path
    return files
