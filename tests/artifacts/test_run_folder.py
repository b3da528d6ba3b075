"""A run's folder: relative links and a record."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from pipeline.artifacts.run_folder import (
    link_result,
    linked_keys,
    list_runs,
    read_run,
    remove_links,
    write_run,
)
from pipeline.artifacts.store import Store
from pipeline.errors import ArtifactError
from tests.artifacts.conftest import Publish


def test_links_are_relative_and_repointed(store: Store, publish: Publish) -> None:
    publish("a" * 64, b"old")
    publish("b" * 64, b"new")
    link = link_result(store, "mine", "train", "a" * 64)
    assert (link / "model.bin").read_bytes() == b"old"
    link_result(store, "mine", "train", "b" * 64)
    assert (link / "model.bin").read_bytes() == b"new"
    assert os.readlink(link) == f"../store/{'b' * 64}"
    assert linked_keys(store, "mine") == {"train": "b" * 64}


def test_the_artifacts_folder_may_be_moved(store: Store, publish: Publish, tmp_path: Path) -> None:
    publish("a" * 64)
    link_result(store, "mine", "train", "a" * 64)
    shutil.move(store.root, tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "mine" / "train" / "model.bin").read_bytes() == b"content"


def test_links_of_stages_that_left_the_chain_go(store: Store, publish: Publish) -> None:
    publish("a" * 64)
    link_result(store, "mine", "train", "a" * 64)
    link_result(store, "mine", "tune", "a" * 64)
    remove_links(store, "mine", {"train"})
    assert linked_keys(store, "mine") == {"train": "a" * 64}


def test_records(store: Store) -> None:
    write_run(store, "mine", {"name": "mine"})
    assert list_runs(store) == ["mine"]
    assert read_run(store, "mine") == {"name": "mine"}
    with pytest.raises(ArtifactError, match="no run 'yours'; there are: mine"):
        read_run(store, "yours")
    (store.root / "mine" / "run.json").write_text("{")
    with pytest.raises(ArtifactError, match="unreadable"):
        read_run(store, "mine")
