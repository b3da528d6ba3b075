from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.config.data import DataConfig
from pipeline.config.sources import SOURCES as KNOWN
from pipeline.data import sources
from pipeline.data.keras_sets import KERAS_SETS
from pipeline.data.sources import SOURCES, read_source
from pipeline.errors import DataError
from tests.data.conftest import small_arrays


def test_digits_are_images_with_a_channel() -> None:
    source = read_source(DataConfig())
    part = source.parts["all"]
    assert part.x.shape == (1797, 8, 8, 1)
    assert (part.x.min(), part.x.max()) == (0, 16)
    assert source.class_names == tuple("0123456789")


@pytest.mark.parametrize("moved", [False, True])
def test_digits_are_those_of_load_digits(monkeypatch: pytest.MonkeyPatch, moved: bool) -> None:
    from sklearn.datasets import load_digits

    if moved:
        nowhere = SimpleNamespace(locate_file=lambda name: f"/nowhere/{name}")
        monkeypatch.setattr(sources.importlib.metadata, "distribution", lambda name: nowhere)
    part = read_source(DataConfig()).parts["all"]
    np.testing.assert_array_equal(part.x[..., 0], load_digits().images)
    np.testing.assert_array_equal(part.y, load_digits().target)


def test_digits_do_not_import_sklearn() -> None:
    code = (
        "import sys; from pipeline.config.data import DataConfig\n"
        "from pipeline.data.sources import read_source\n"
        "read_source(DataConfig()); print('sklearn' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_file_that_is_needed_is_asked_for(source: str) -> None:
    if source == "digits":
        return
    with pytest.raises(DataError, match=r"received no data\.path"):
        read_source(DataConfig.model_construct(source=source))


def test_unknown_source_lists_the_known_ones() -> None:
    with pytest.raises(DataError, match="'cifar': expected one of digits, npz, csv"):
        read_source(DataConfig.model_construct(source="cifar"))


def test_tables_have_every_source_that_the_config_knows() -> None:
    assert {*SOURCES, *KERAS_SETS} == set(KNOWN)


def test_csv_with_a_test_file(tmp_path: Path) -> None:
    for name, rows in (("train", "1,yes\n2,no\n"), ("test", "3,no\n")):
        (tmp_path / f"{name}.csv").write_text(f"age,answer\n{rows}")
    config = DataConfig(
        source="csv",
        path=tmp_path / "train.csv",
        test_path=tmp_path / "test.csv",
        csv={"target": "answer"},
    )
    source = read_source(config)
    assert source.kind == "table" and source.class_names == ("no", "yes")
    assert {part: len(pair.x) for part, pair in source.parts.items()} == {"train": 2, "test": 1}
    assert list(read_source(config, frozenset({"test"})).parts) == ["test"]


def test_text_is_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("text\tlabel\nfine day\t1\nbad day\t0\n")
    source = read_source(DataConfig(source="text", path=tmp_path / "a.tsv"))
    assert source.kind == "text"
    assert source.parts["all"].x.tolist() == ["fine day", "bad day"]


def test_kind_follows_the_preprocessing(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **small_arrays())
    config = DataConfig(source="npz", path=tmp_path / "a.npz", preprocessing={"kind": "tokens"})
    assert read_source(config).kind == "tokens"
