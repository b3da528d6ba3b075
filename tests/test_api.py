"""The Python side: `pipeline` is cheap to import and checks what it is given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import pipeline
from pipeline.errors import ArtifactError, ConfigError


def test_importing_pipeline_imports_nothing_else() -> None:
    code = (
        "import sys, pipeline\n"
        "print([name in sys.modules for name in ('pydantic', 'numpy', 'importlib.metadata')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[False, False, False]"


def test_there_is_a_version() -> None:
    assert pipeline.__version__[0].isdigit()


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'compres'"):
        pipeline.compres  # noqa: B018


def test_a_dictionary_is_checked_like_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"train\.epochs: received 0"):
        pipeline.run({"run": {"name": "x"}, "train": {"epochs": 0}}, artifacts=tmp_path)
    with pytest.raises(ConfigError, match=r"run\.seed: received -1"):
        pipeline.run({"run": {"name": "x"}}, artifacts=tmp_path, overrides=["run.seed=-1"])
    assert not list(tmp_path.iterdir())


def test_a_hint_repeats_the_whole_command(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("stages: [train]")
    with pytest.raises(ArtifactError) as caught:
        pipeline.run(
            path,
            artifacts=tmp_path / "a",
            name="x",
            overrides=["train.epochs=2", "stages=[train, prune]"],
            first="prune",
        )
    assert (
        f"make it with: slimline run {path} --set train.epochs=2 --set 'stages=[train, prune]' "
        f"--name x --artifacts {tmp_path / 'a'} --to train"
    ) in str(caught.value)
